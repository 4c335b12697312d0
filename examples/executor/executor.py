"""A small executor: creates a Performer, calls it, replaces it, and deletes it at the end.

The Performer is called by its DNS name with gRPC's health check
(https://github.com/grpc/grpc/blob/master/doc/health-checking.md); an executor of your own makes
the calls of its AVS in its place.

Besides the environment variables of the API reference:

EXECUTOR_NAME     name of this executor, which its Performer gets too (default: the host's)
AVS_ADDRESS       Ethereum address of the AVS
PERFORMER_IMAGE   image to begin with
UPGRADE_IMAGE     image to go on with after the first call; none: no upgrade
CALL_SECONDS      time between two calls (default 10)
"""

import logging
import os
import signal
import socket
import sys
import time
from typing import NoReturn

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from hourglass_operator.api import HealthCheck, PerformerConfig, PerformerSpec
from hourglass_operator.client import (
    AlreadyExistsError,
    Client,
    ClientError,
    Performer,
    UpgradeError,
)

logger = logging.getLogger("executor")


def main() -> int:
    """Run until SIGTERM or Ctrl-C; the exit code is 1 if there was no Performer to call."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    for number in (signal.SIGTERM, signal.SIGINT):
        # Whatever is waited for ends, and the Performer is deleted on the way out.
        signal.signal(number, lambda *_: sys.exit())
    name = os.environ.get("EXECUTOR_NAME", socket.gethostname())
    try:
        with Client() as performers:
            try:
                work(performers, name)
            finally:
                performers.delete(name)
                logger.info("%s: gone", name)
    except ClientError as error:
        logger.error("%s", error)
        return 1


def work(performers: Client, name: str) -> NoReturn:
    """Create, call, replace, and call again until asked to stop."""
    create(performers, name)
    performer = performers.wait_until_ready(name)
    with grpc.insecure_channel(performers.endpoint(performer)) as channel:
        call(channel, performer)
        if image := os.environ.get("UPGRADE_IMAGE"):
            performer = upgrade(performers, performer, image)
        while True:
            time.sleep(float(os.environ.get("CALL_SECONDS", "10")))
            call(channel, performer)


def create(performers: Client, name: str) -> None:
    """Create the Performer, unless an executor of this name did before it was restarted."""
    spec = PerformerSpec(
        avs_address=os.environ["AVS_ADDRESS"],
        image=os.environ["PERFORMER_IMAGE"],
        config=PerformerConfig(health_check=HealthCheck.GRPC),
    )
    try:
        performers.create(name, spec)
        logger.info("%s: created with %s", name, spec.image)
    except AlreadyExistsError:
        logger.info("%s: exists already", name)


def upgrade(performers: Client, performer: Performer, image: str) -> Performer:
    """Replace the image; if that fails, go back to the one that serves."""
    try:
        upgraded = performers.upgrade(performer.name, image=image)
    except UpgradeError as error:
        logger.warning("%s", error)
        return performers.upgrade(performer.name, image=performer.spec.image)
    logger.info("%s: %s serves, on node %s", upgraded.name, image, upgraded.status.node_name)
    return upgraded


def call(channel: grpc.Channel, performer: Performer) -> None:
    """Ask whether it serves; what goes wrong is printed, the next call may succeed."""
    health = health_pb2_grpc.HealthStub(channel)
    try:
        answer = health.Check(health_pb2.HealthCheckRequest(), timeout=5, wait_for_ready=True)
    except grpc.RpcError as error:
        logger.warning("%s: %s", performer.name, error)
        return
    status = health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status)
    logger.info("%s: %s", performer.name, status)


if __name__ == "__main__":
    sys.exit(main())
