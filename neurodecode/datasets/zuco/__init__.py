"""Reading natural sentences: EEG and eye movements of ZuCo 1.0 and 2.0.

Origin
    Hollenstein et al. 2018, "ZuCo, a simultaneous EEG and eye-tracking resource for natural
    sentence reading", Scientific Data 5; Hollenstein et al. 2020 (ZuCo 2.0), LREC.
Licence
    As the project pages state it; read there before passing the files on.
Size and layout
    ZuCo 1.0 (osf.io/q3zws): 12 people; ``task1- SR`` (400 sentences), ``task2 - NR`` (300) and
    ``task3 - TSR`` (407), each with ``Matlab files/results{SUBJECT}_{SR,NR,TSR}.mat`` (MATLAB 5,
    an array of structs). ZuCo 2.0 (osf.io/2urht): 18 people; ``task1 - NR`` (349) and
    ``task2 - TSR`` (390), the same file names, MATLAB 7.3 (HDF5, groups of references). Many GB in
    all; a results file is one person's task.
How to obtain
    Download the ``Matlab files`` folders and ``task_materials`` from those pages; keep the folders.
"""

from neurodecode.datasets.zuco._labels import read_labels
from neurodecode.datasets.zuco._read import Skipped, find_files, read_sentences, read_subject
from neurodecode.datasets.zuco._sentence import BANDS, MEASURES, Sentence, Word, text_id
from neurodecode.datasets.zuco._split import sentence_split, subject_split

__all__ = [
    "BANDS",
    "MEASURES",
    "Sentence",
    "Skipped",
    "Word",
    "find_files",
    "read_labels",
    "read_sentences",
    "read_subject",
    "sentence_split",
    "subject_split",
    "text_id",
]
