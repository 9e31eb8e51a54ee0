"""The language in which a command answers."""

from enum import StrEnum
from typing import Annotated

import typer


class Language(StrEnum):
    """The languages of titles, descriptions, sentences and reasons."""

    EN = "en"
    FR = "fr"


Spoken = Annotated[Language, typer.Option("--language", help="Language of titles, descriptions and sentences.")]
