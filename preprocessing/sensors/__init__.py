"""What MEG and EEG share: reading, cleaning, cutting and scaling of sensors."""
