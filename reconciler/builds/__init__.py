"""Which CUDA each package carries or expects, and how that is known. Run once a snapshot.

What a package depends on is believed before its build string, which lies both ways: faiss-cpu was
built as ``py36_cuda0.0_1``, and cupy's CUDA builds carry no tag.
"""
