"""Entry point: `python -m dataflow.main --object ... --run_id ... --settings ...`, by the Flex Template's launcher.

Options of Beam itself (``--runner``, ``--num_workers``, ...) are handed on to it.
"""

import argparse
import json
import sys
from collections.abc import Sequence

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions

from dataflow.load import job_of
from dataflow.pipeline import build, services_of
from dataflow.split import PART_BYTES


def parser() -> argparse.ArgumentParser:
    """Return the parser of the pipeline's own parameters: those of ``metadata.json``."""
    known = argparse.ArgumentParser(prog="dataflow", allow_abbrev=False, description=__doc__)
    known.add_argument("--object", required=True, help="the landed generation: JSON of its Cloud Storage resource")
    known.add_argument("--run_id", required=True, help="name of the run under which its rows are loaded")
    known.add_argument("--settings", required=True, help="variables of docs/configuration.md, as a JSON object")
    known.add_argument("--part_bytes", type=int, default=PART_BYTES, help="bytes of the file that one task reads")
    return known


def main(arguments: Sequence[str]) -> None:
    """Run the pipeline for one file, and wait for its end where the runner does."""
    asked, options = parser().parse_known_args(arguments)
    variables = json.loads(asked.settings)
    job = job_of(asked.object, asked.run_id, services_of(variables))
    with beam.Pipeline(options=PipelineOptions(options, save_main_session=False)) as root:
        build(root, job, variables, asked.part_bytes)


if __name__ == "__main__":
    main(sys.argv[1:])
