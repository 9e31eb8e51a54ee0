"""Errors with the codes and words of the real service."""

import grpc


class ServiceError(Exception):
    """A refusal: ``code`` is the gRPC status, the text is what the client sees."""

    def __init__(self, code: grpc.StatusCode, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class StaleAckIdsError(ServiceError):
    """Acknowledgements of an exactly-once subscription that came too late, by ack id."""

    def __init__(self, ack_ids: list[str]) -> None:
        text = (
            "Some acknowledgement ids in the request were invalid. This could be because the acknowledgement ids "
            "have expired or the acknowledgement ids were malformed."
        )
        super().__init__(grpc.StatusCode.FAILED_PRECONDITION, text)
        self.ack_ids = ack_ids


def not_found(name: str) -> ServiceError:
    """The named resource is not there."""
    return ServiceError(grpc.StatusCode.NOT_FOUND, f"Resource not found (resource={_short(name)}).")


def already_exists(name: str) -> ServiceError:
    """The named resource already exists."""
    text = f"Resource already exists in the project (resource={_short(name)})."
    return ServiceError(grpc.StatusCode.ALREADY_EXISTS, text)


def invalid(text: str) -> ServiceError:
    """The request cannot be right."""
    return ServiceError(grpc.StatusCode.INVALID_ARGUMENT, text)


def out_of_range(text: str) -> ServiceError:
    """A value beyond the bounds that the service names."""
    return ServiceError(grpc.StatusCode.OUT_OF_RANGE, text)


def precondition(text: str) -> ServiceError:
    """The request is right, but not in the present state."""
    return ServiceError(grpc.StatusCode.FAILED_PRECONDITION, text)


def unimplemented(what: str) -> ServiceError:
    """The real service can do this, this emulator cannot."""
    return ServiceError(grpc.StatusCode.UNIMPLEMENTED, f"This emulator does not implement {what}.")


def _short(name: str) -> str:
    return name.rsplit("/", 1)[-1]
