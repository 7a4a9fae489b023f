"""Forward models: from points of a target space to responses."""

from neurodecode.encoders.forward.ridge import ForwardRidge

__all__ = ["ForwardRidge"]
