"""The whole measurement: `python -m bench`."""

from bench.run import main

main()
