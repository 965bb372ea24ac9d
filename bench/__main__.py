"""Run the measurements, each in a process of its own, so that none warms up or slows down the next."""

import pkgutil
import subprocess
import sys

import bench


def measurements() -> list[str]:
    """The names of the measurements: the public modules of this package."""
    return sorted(module.name for module in pkgutil.iter_modules(bench.__path__) if not module.name.startswith("_"))


def main(names: list[str]) -> int:
    """Run the measurements named, or all; 0 when each came to its end, 2 when a name is unknown."""
    known = measurements()
    unknown = [name for name in names if name not in known]
    if unknown:
        print(
            f"no measurement is called {', '.join(unknown)}; there are: {', '.join(known) or 'none'}", file=sys.stderr
        )
        return 2
    failed = []
    for name in names or known:
        print(f"== {name}", flush=True)
        if subprocess.run([sys.executable, "-m", f"bench.{name}"], check=False).returncode:
            failed.append(name)
    if failed:
        print(f"failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
