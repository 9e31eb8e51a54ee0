"""``python -m local.pubsub serve --host H --port P --data-dir DIR [--rest-port R]``."""

import argparse
import logging
import signal
import sys
import threading
from pathlib import Path

from local.pubsub.lean import only_types


def main(argv: list[str] | None = None) -> int:
    """Serve until told to stop."""
    args = _parser().parse_args(argv)
    only_types()
    from local.pubsub.rest import Front
    from local.pubsub.server import Emulator

    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(name)s %(message)s")
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    try:
        emulator = Emulator(args.data_dir, push_outstanding=args.push_outstanding)
        port = emulator.start(args.host, args.port)
        front = Front(emulator, args.host, args.rest_port) if args.rest_port is not None else None
    except OSError as error:
        print(f"cannot start: {error}", file=sys.stderr, flush=True)
        return 1
    print(f"listening on {args.host}:{port}", flush=True)
    if front is not None:
        print(f"REST on {args.host}:{front.start()}", flush=True)
    stop.wait()
    if front is not None:
        front.stop()
    emulator.stop()
    logging.getLogger("pubsub").info("stopped")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m local.pubsub", description="A Pub/Sub for the laptop.")
    parser.add_argument("command", choices=["serve"])
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="gRPC; 0 chooses a free one")
    parser.add_argument("--rest-port", type=int, default=None, help="REST for gcloud; 0 chooses a free one")
    parser.add_argument("--data-dir", type=Path, required=True)
    parser.add_argument("--push-outstanding", type=int, default=100, help="requests under way per subscription")
    return parser


if __name__ == "__main__":
    sys.exit(main())
