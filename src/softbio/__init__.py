"""softbio: how well can soft-biometric traits be read from a face image, and how well hidden?"""

__version__ = "0.1.0"
