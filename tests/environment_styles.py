"""environment.yml as people and programs write it: the same environment in eleven styles."""

from __future__ import annotations

INDENTED = """\
# for the lab's machines
name: gpu
channels:
  - pytorch  # until 2.5
  - conda-forge
dependencies:
  # the interpreter
  - python=3.11  # not 3.12 yet
  - numpy=1.26

  # the GPU's
  - cudatoolkit=11.8
  - pip
  - pip:
      # of the index below
      - torch==2.1.2  # pinned
      - einops
variables:
  CUDA_HOME: /usr/local/cuda  # the site's
prefix: /opt/conda/envs/gpu
"""

NOT_INDENTED = """\
name: gpu
channels:
- pytorch
- conda-forge
dependencies:
- python=3.11
- numpy=1.26
- cudatoolkit=11.8
- pip
- pip:
  - torch==2.1.2
  - einops
variables:
  CUDA_HOME: /usr/local/cuda
prefix: /opt/conda/envs/gpu
"""

QUOTED = """\
"name": 'gpu'
channels:
  - "pytorch"
  - 'conda-forge'
dependencies:
  - "python=3.11"
  - 'numpy=1.26'
  - "cudatoolkit=11.8"
  - "pip"
  - "pip":
    - 'torch==2.1.2'
    - 'einops'
variables:
  "CUDA_HOME": "/usr/local/cuda"
"prefix": "/opt/conda/envs/gpu"
"""

ANCHORS = """\
x-cuda: &cuda cudatoolkit=11.8
name: gpu
channels: &channels
  - pytorch
  - conda-forge
dependencies:
  - &python python=3.11
  - numpy=1.26
  - *cuda
  - pip
  - pip:
    - &torch torch==2.1.2
    - einops
variables:
  CUDA_HOME: &home /usr/local/cuda
prefix: /opt/conda/envs/gpu
"""

FLOW = """\
name: gpu
channels: [pytorch, conda-forge]  # in this order
dependencies: [python=3.11, numpy=1.26, cudatoolkit=11.8, pip, {pip: [torch==2.1.2, einops]}]
variables: {CUDA_HOME: /usr/local/cuda}
prefix: /opt/conda/envs/gpu
"""

FLOW_OVER_LINES = """\
name: gpu
channels: [
  pytorch,
  conda-forge
]
dependencies: [
  python=3.11,  # not 3.12 yet
  numpy=1.26,
  # the GPU's
  cudatoolkit=11.8,
  pip,
  {pip: [torch==2.1.2, einops]},
]
prefix: /opt/conda/envs/gpu
"""

COMMENTS = """\
# head
name: gpu # name
# above channels
channels: # behind channels
  # above pytorch
  - pytorch # behind pytorch
  # above conda-forge

  - conda-forge
# above dependencies
dependencies: # behind dependencies
  # above python
  - python=3.11 # behind python
    # further in
  - numpy=1.26
# not in at all
  - cudatoolkit=11.8 # 1 # 2
  - pip # 'pip'
  - pip: # behind pip
    # above torch
    - torch==2.1.2 # "torch"
    # above einops
    - einops
    # below einops
  # below pip
# above prefix
prefix: /opt/conda/envs/gpu # this machine's
# end
"""

CRLF = INDENTED.replace("\n", "\r\n")

NO_FINAL_NEWLINE = NOT_INDENTED.rstrip("\n")

SEVERAL_PIP_SECTIONS = """\
name: gpu
channels:
  - pytorch
  - conda-forge
dependencies:
  - python=3.11
  - pip:
    - lost
  - numpy=1.26
  - cudatoolkit=11.8
  - pip
  - pip:
    - torch==2.1.2
    - einops
prefix: /opt/conda/envs/gpu
"""

# Windows writes it so: no indent, the end of lines, a drive, and no comment.
WINDOWS_EXPORT = NOT_INDENTED.replace(
    "prefix: /opt/conda/envs/gpu", r"prefix: C:\Users\安\miniconda3\envs\gpu"
).replace("\n", "\r\n")

TEMPLATE = """\
name: gpu
channels:
  - pytorch
  - conda-forge
dependencies:
  - python=3.11
  - numpy=1.26
{% if gpu %}
  - cudatoolkit=11.8
{% endif %}
  - pip
  - pip:
    - torch==2.1.2
    - einops
    - "{{ name }}"
prefix: /opt/conda/envs/gpu
"""

STYLES = {
    "indented": INDENTED,
    "not indented": NOT_INDENTED,
    "quoted": QUOTED,
    "anchors": ANCHORS,
    "flow": FLOW,
    "flow over lines": FLOW_OVER_LINES,
    "comments": COMMENTS,
    "CRLF": CRLF,
    "no final newline": NO_FINAL_NEWLINE,
    "several pip sections": SEVERAL_PIP_SECTIONS,
    "Windows export": WINDOWS_EXPORT,
    "template": TEMPLATE,
}
