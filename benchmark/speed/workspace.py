"""A copy of the working tree in which DVC runs the pipeline from cold, as a user's first `dvc repro`."""

import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]
LEFT_OUT = ("dvc.lock", "metrics", "docs", "benchmark", "tests")  # what earlier runs left, and what no run needs
SPEED = "benchmark/speed/speed.csv"  # which the report shows
RUNNING = re.compile(r"^Running stage '([^']+)'")


class Workspace:
    """The repository's files, tracked or new, in `folder`, with a DVC cache of its own and `changes` of params.yaml."""

    def __init__(self, folder: Path, changes: dict[str, str | int | bool]):
        self.folder = folder
        listed = subprocess.run(["git", "ls-files", "-z", "-co", "--exclude-standard"], cwd=ROOT, text=True,
                                stdout=subprocess.PIPE, check=True).stdout
        for name in filter(None, listed.split("\0")):
            if (name == SPEED or Path(name).parts[0] not in LEFT_OUT) and (ROOT / name).is_file():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(ROOT / name, folder / name)
        (folder / ".dvc/config.local").write_text("[core]\n    no_scm = true\n")
        params = yaml.safe_load((folder / "params.yaml").read_text("utf-8"))
        for key, value in changes.items():
            section, name = key.split(".")
            params[section][name] = value
        (folder / "params.yaml").write_text(yaml.safe_dump(params, sort_keys=False), "utf-8")

    def repro(self, *stages: str) -> tuple[float, dict[str, float]]:
        """Run `dvc repro` for these stages; return the seconds that it took, and those of each stage that ran."""
        environment = os.environ | {"DVC_SITE_CACHE_DIR": str(self.folder.with_name(f"{self.folder.name}.dvc")),
                                    "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])}
        started, lines, times = time.perf_counter(), [], []
        process = subprocess.Popen(["dvc", "repro", *stages], cwd=self.folder, env=environment, text=True,
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        for line in process.stdout or []:
            lines.append(line)
            if match := RUNNING.match(line):
                times.append((match[1], time.perf_counter()))
        if process.wait():
            raise ValueError(f"dvc repro {' '.join(stages)}: got exit status {process.returncode}; expected a run:\n"
                             + "".join(lines[-30:]))
        end = time.perf_counter()
        ends = [begin for _, begin in times[1:]] + [end]
        return end - started, {name: until - begin for (name, begin), until in zip(times, ends)}
