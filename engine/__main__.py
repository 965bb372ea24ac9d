"""`python -m engine` is the command line `eligibility`."""

from engine.cli import main

if __name__ == "__main__":
    main()
