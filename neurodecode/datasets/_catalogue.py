"""What can be read, in one literal table."""

from __future__ import annotations

from dataclasses import dataclass

from neurodecode.data import Modality


@dataclass(frozen=True)
class Dataset:
    """One public data set that a reader here understands.

    Parameters
    ----------
    name : str
        Short name, as its reader's module.
    title : str
        What it is, in one line.
    modality : {'fmri', 'meg', 'eeg'}
    licence : str
        What may be done with the recordings, as their source states it.
    size : str
        Of the download.
    layout : str
        The files that the reader looks for.
    obtain : str
        How to get it, as a person would do it.
    reader : str
        The function to call, with its module.

    Examples
    --------
    >>> [dataset.title for dataset in CATALOGUE if dataset.name == "haxby"]
    ['Faces, houses and 6 more categories, ventral temporal cortex (Haxby et al. 2001)']
    """

    name: str
    title: str
    modality: Modality
    licence: str
    size: str
    layout: str
    obtain: str
    reader: str


CATALOGUE: tuple[Dataset, ...] = (
    Dataset(
        name="miyawaki",
        title="Shapes and random patterns of 10 x 10 squares, visual cortex (Miyawaki et al. 2008)",
        modality="fmri",
        licence="not stated with the files; cite Miyawaki et al. 2008, ask before passing on",
        size="1.7 MB (figure runs as arrays), 161 MB (nilearn)",
        layout="one .mat file (fmriTrn, stimTrn, labelTrn, ...), or nilearn's folder of runs",
        obtain="nilearn.datasets.fetch_miyawaki2008(), or the file miyawaki_structured_28x28.mat",
        reader="neurodecode.datasets.miyawaki.read",
    ),
    Dataset(
        name="haxby",
        title="Faces, houses and 6 more categories, ventral temporal cortex (Haxby et al. 2001)",
        modality="fmri",
        licence="CC BY-SA 3.0",
        size="about 310 MB a person (nilearn), 4.5 MB (one slice, PyMVPA)",
        layout="subjN/bold.nii.gz with labels.txt (nilearn), sub001/BOLD/task001_runNNN (OpenfMRI)",
        obtain="nilearn.datasets.fetch_haxby(subjects=[1, 2]), OpenfMRI ds000105, or PyMVPA's data",
        reader="neurodecode.datasets.haxby.read",
    ),
    Dataset(
        name="sherlock",
        title="50 minutes of film with scene descriptions, posterior medial cortex (Chen 2017)",
        modality="fmri",
        licence="not stated with the files; cite Chen et al. 2017 (Princeton dsp01nz8062179)",
        size="29 MB (8 people, one region)",
        layout="subjects/sN/pmc_nn_sherlock_movie_sN.mat and Sherlock_Segments_1000_NN_2017.xlsx",
        obtain="the sherlock_nifti_kit folder of github.com/Summer-MIND/mind_2018",
        reader="neurodecode.datasets.sherlock.read",
    ),
    Dataset(
        name="ssvep",
        title="Three flickers and rest, 8 occipital electrodes (Kalunga et al. 2016)",
        modality="eeg",
        licence="CC0 1.0",
        size="about 4 MB a session, 12 people",
        layout="subjectNN/record-[...].gdf",
        obtain="clone github.com/sylvchev/dataset-ssvep-exoskeleton",
        reader="neurodecode.datasets.ssvep.read",
    ),
    Dataset(
        name="zuco",
        title="Reading natural sentences, 12 and 18 people (ZuCo 1.0 and 2.0)",
        modality="eeg",
        licence="as the project pages state it",
        size="many GB; a results file is one person's task",
        layout="task.../Matlab files/results{SUBJECT}_{SR,NR,TSR}.mat",
        obtain="download the 'Matlab files' folders from osf.io/q3zws (1.0) and osf.io/2urht (2.0)",
        reader="neurodecode.datasets.zuco.read_subject",
    ),
    Dataset(
        name="things_meg",
        title="22,448 pictures of 1,854 concepts on 272 MEG sensors, 4 people (THINGS-MEG)",
        modality="meg",
        licence="CC0 1.0 (recordings); the pictures are for research only",
        size="about 460 GB raw, 36 GB as epochs",
        layout="sub-BIGMEG{1..4}/ses-NN/meg/*_meg.ds, or preprocessed_P{n}-epo.fif",
        obtain="openneuro download ds004212, or the epochs from plus.figshare.com (THINGS-data)",
        reader="neurodecode.datasets.things_meg.read_epochs",
    ),
    Dataset(
        name="things_eeg2",
        title="16,740 pictures in rapid series on 63 electrodes, 10 people (THINGS-EEG2)",
        modality="eeg",
        licence="CC BY 4.0 (recordings); the pictures are for research only",
        size="about 100 GB raw, 1 to 8 GB a person as trials",
        layout="sub-XX/preprocessed_eeg_*.npy, or raw_data/sub-XX/ses-YY/raw_eeg_*.npy",
        obtain="download from osf.io/3jk45, or the trials from the pages of NICE, ATM and others",
        reader="neurodecode.datasets.things_eeg2.read",
    ),
    Dataset(
        name="nsd",
        title="73,000 natural scenes, 8 people, up to 40 sessions at 7 T (Natural Scenes Dataset)",
        modality="fmri",
        licence="NSD's terms, to be accepted with its owners; the pictures are COCO's",
        size="42 GB a person raw (int16), over 30 GB a person (MindEye1), over 100 GB (MindEye2)",
        layout="nsddata*/ (raw), webdataset_avg_split/ (MindEye1, MindBridge), wds/ and "
        "betas_all_subj0X_fp32_renorm.hdf5 (MindEye2), processed_data/subjXX/ (Brain-Diffuser)",
        obtain="accept the terms at naturalscenesdataset.org for raw NSD; the hub's data sets "
        "pscotti/naturalscenesdataset (MindEye1) and pscotti/mindeyev2; then neurodecode prepare "
        "nsd --layout LAYOUT --root DIR --out STORE",
        reader="neurodecode.datasets.nsd.prepare",
    ),
)
