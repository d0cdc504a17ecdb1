"""Write what the run did and what came of it as one page, reports/index.html: python -m stages.report."""

from pathlib import Path

from versus import params
from versus.command import run
from versus.report import page

PAGE = Path("reports/index.html")


def main():
    for sentence in page.write(params.load(), PAGE):
        print(sentence)
    print(f"The whole report: {PAGE.resolve()}")


if __name__ == "__main__":
    run(main)
