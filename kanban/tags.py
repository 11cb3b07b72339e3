"""Tags: what colour one has. It follows from the name, so that the same tag looks the same everywhere."""

from zlib import crc32

from kanban.fold import fold

TONES = ("slate", "violet", "teal", "pink", "blue", "olive", "azure", "green")  # red, orange and amber say that something is wrong


def tag_tone(name: str) -> str:
    return TONES[crc32(fold(name).encode()) % len(TONES)]
