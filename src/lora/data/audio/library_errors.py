"""What libsndfile or the system say about a file that cannot be read, without the path that they were given."""

from __future__ import annotations

# What libsndfile says of an existing file that begins like MP3 and is none, of other formats, and of other codecs.
OTHER_FORMATS = (
    "File does not exist or is not a regular file",
    "Format not recognised",
    "File contains data in an unimplemented format",
)
NO_AUDIO = "no audio in a format that libsndfile reads; convert it to WAV or FLAC"


def reason_of(error: Exception) -> str:
    said = getattr(error, "error_string", None) or getattr(error, "strerror", None) or str(error)
    reason = " ".join(str(said).split()) or type(error).__name__
    return NO_AUDIO if reason.startswith(OTHER_FORMATS) else reason
