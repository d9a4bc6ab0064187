"""Accepted form of the manifest of a session file.

Types and sizes are checked here; settings, shapes and additions of fills by the functions that the
fills themselves use.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import (
    ConfigDict,
    Field,
    StrictBool,
    StrictInt,
    StrictStr,
    field_validator,
    model_validator,
)

from ...atoms.orderings import ORDERINGS
from ...atoms.selection_schema import SelectionSchema
from ...errors import AtomizerError
from ...inpainting.recipe import Recipe
from ...inpainting.recipe_schema import RecipeSchema, ShapeSchema
from ...inpainting.resolve import check_settings
from ...inpainting.task import check_additions
from ...io.audio import Sound, check_length
from ...limits import MEGABYTE, limits
from ...validation import Number, Schema
from ..decomposition import NAMES

MANIFEST = "session.json"
FORMAT = 1  # rises with every change that older versions cannot read
SAMPLE_BYTES = 4
_FORM = "A session file is what the page saves: a zip with session.json in it."

Count = Annotated[StrictInt, Field(ge=0, le=2**40, description="a whole number from 0")]
Index = Annotated[StrictInt | None, Field(ge=0, le=2**40, description="a whole number or null")]
Seconds = Annotated[Number, Field(ge=0, le=1e9, description="a number of seconds from 0")]
Decibels = Annotated[Number | None, Field(ge=-1e6, le=1e6, description="a number or null")]
Text = Annotated[StrictStr, Field(max_length=4000, description="a text")]
Pair = tuple[Seconds, Seconds]


class _Part(Schema):
    """Base of the parts of a manifest: no other fields, no infinite numbers."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)
    subject: ClassVar[str] = "The {} of a session file"
    form: ClassVar[str] = _FORM


class PatchSchema(_Part):
    """A `Patch` without its samples."""

    rate: Count
    channels: Count
    length: Count
    spans: list[tuple[Count, Count]] = Field(description="a list of [start, stop] in samples")

    @model_validator(mode="after")
    def _within_limits(self) -> PatchSchema:
        """Check the size of the sound, and that the spans ascend within it."""
        check_length(self.channels, self.length, self.rate)
        edges = [edge for span in self.spans for edge in span]
        if any(a >= b for a, b in zip(edges, edges[1:])) or edges[-1:] > [self.length]:
            raise AtomizerError(
                "The spans of a session file ascend, and end where their sound ends."
            )
        return self

    @property
    def count(self) -> int:
        """Number of stored samples, all channels together."""
        return self.channels * sum(stop - start for start, stop in self.spans)

    @property
    def bytes(self) -> int:
        """Size of the whole sound."""
        return SAMPLE_BYTES * self.channels * self.length


class SceneSchema(_Part):
    """A `SavedScene` without its atoms."""

    atoms: Count
    added: SelectionSchema
    is_mid_side: StrictBool


class SourceSchema(_Part):
    """Where a part of a fill was copied from: `message.Source`."""

    target: Pair
    source: Pair
    confidence: Number


class RowSchema(_Part):
    """The fields `ROW` of a variation."""

    label: Annotated[StrictStr, Field(pattern=r"^[A-Z?]$", description="a letter from A to Z")]
    title: Text
    details: list[tuple[Text, Text]] = Field(max_length=100, description="a list of pairs of texts")
    heard: Count
    snr_db: Decibels
    level_db: Decibels
    lsd: Decibels
    has_reference: StrictBool
    seconds: Seconds
    order: Literal[tuple(ORDERINGS)]  # type: ignore[valid-type]
    reverse: StrictBool
    origin: Text
    sources: list[SourceSchema] = Field(max_length=10_000, description="a list of sources")
    done: Count
    total: Count


class VariationSchema(_Part):
    """A `SavedVariation` without its arrays; `hidden` and `atoms` are their lengths."""

    row: RowSchema
    recipe: RecipeSchema
    shape: ShapeSchema
    is_drawn: StrictBool
    filled: PatchSchema
    masked: PatchSchema
    hidden: Count
    atoms: Count
    scene: SceneSchema | None = None

    @model_validator(mode="after")
    def _of_one_size(self) -> VariationSchema:
        """Check that both sounds can be compared sample by sample."""
        sizes = {(p.rate, p.channels, p.length) for p in (self.filled, self.masked)}
        if len(sizes) > 1:
            raise AtomizerError("Both sounds of a variation have one rate and one length.")
        return self


class PursuitSchema(_Part):
    """A `SavedPursuit` without its atoms."""

    name: Literal[tuple(name for name in NAMES if name != "mdct")]  # type: ignore[valid-type]
    srr_db: Number
    atoms: Count


class OriginalSchema(_Part):
    """A `SavedOriginal`."""

    variations: list[VariationSchema] = Field(description="a list of variations")
    current: Index = None
    pursuit: PursuitSchema | None = None
    patch: PatchSchema | None = None
    recipe: RecipeSchema | None = None
    accepted: Text = ""

    @field_validator("variations", mode="before")
    @classmethod
    def _limited(cls, value: Any) -> Any:
        """Check the number of variations before each of them."""
        if isinstance(value, list) and len(value) > limits().variations_kept:
            raise AtomizerError(
                f"This session has {len(value)} variations of one sound: up to"
                f" {limits().variations_kept} are kept here."
            )
        return value

    @model_validator(mode="after")
    def _consistent(self) -> OriginalSchema:
        """Check that the variation that is shown exists, and that labels name one each."""
        labels = [variation.row.label for variation in self.variations]
        if self.current is not None and self.current >= len(labels):
            raise AtomizerError("The variation that a session file shows is one of its own.")
        if len({*labels} - {"?"}) != len([label for label in labels if label != "?"]):
            raise AtomizerError("Every variation of a session file has a letter of its own.")
        return self


class SoundSchema(_Part):
    """The loaded sound: its file in the zip, and what that file does not hold.

    Its samples are those of the file times `gain`; if `has_rest`, plus the array `sound.rest`.
    """

    file: Literal["sound.flac", "sound.wav"]
    subtype: Annotated[
        StrictStr, Field(pattern=r"^[A-Z0-9_]{1,20}$", description="a name such as PCM_16")
    ]
    mask: Annotated[StrictInt, Field(ge=0, lt=2**32, description="a channel mask")]
    gain: Annotated[StrictInt, Field(ge=1, le=2**40, description="a whole number from 1")]
    has_rest: StrictBool


class WorkSchema(_Part):
    """A `SavedWork`."""

    fill: RecipeSchema
    is_new_seed: StrictBool
    count: Annotated[StrictInt, Field(ge=1, le=1000, description="a whole number from 1")]
    seconds: Seconds


class ManifestSchema(_Part):
    """The manifest of a session file; `atomizer` names the version that saved it."""

    format: StrictInt
    atomizer: Text
    name: Annotated[StrictStr, Field(min_length=1, max_length=255, description="a file name")]
    sound: SoundSchema
    part: Pair | None
    next_seed: Annotated[StrictInt, Field(ge=0, lt=2**63, description="a whole number from 0")]
    work: WorkSchema
    originals: list[OriginalSchema] = Field(min_length=1, description="a list of originals")

    @field_validator("name")
    @classmethod
    def _without_folder(cls, value: str) -> str:
        """Check that the name can be that of a file in any folder."""
        if not value.isprintable() or set(value) & set('/\\:*?"<>|') or not value.strip("."):
            raise AtomizerError("The name of a session file's sound is a file name without folder.")
        return value

    @field_validator("originals", mode="before")
    @classmethod
    def _limited(cls, value: Any) -> Any:
        """Check the number of originals before each of them."""
        if isinstance(value, list) and len(value) > 1 + limits().fills:
            raise AtomizerError(
                f"This session has {len(value) - 1} layers: up to {limits().fills} are accepted."
            )
        return value

    @model_validator(mode="after")
    def _layered(self) -> ManifestSchema:
        """Check that all originals but the first one have a fill that made them."""
        first, *layers = self.originals
        is_first = first.patch is None and first.recipe is None
        if not is_first or any(o.patch is None or o.recipe is None for o in layers):
            raise AtomizerError(
                "Every original of a session file but the first one was made by a fill."
            )
        check_unpacked(sum(patch.bytes for patch in self.patches()))
        return self

    def patches(self) -> list[PatchSchema]:
        """All sounds but the loaded one."""
        out = [original.patch for original in self.originals if original.patch is not None]
        for original in self.originals:
            out += [p for v in original.variations for p in (v.filled, v.masked)]
        return out


def check_unpacked(size: int) -> None:
    """Raise AtomizerError for more bytes of sounds than `limits().session_mb`."""
    if size > limits().session_mb * MEGABYTE:
        raise AtomizerError(
            f"The sounds of this session have {size / MEGABYTE:,.0f} MB: up to"
            f" {limits().session_mb:,g} MB are accepted, so delete variations or undo layers."
        )


def recipe_of(valid: RecipeSchema, sound: Sound | None = None) -> Recipe:
    """Return a recipe whose values are within range.

    sound  that it fills, if it is known

    Raises AtomizerError where they are not.
    """
    recipe = Recipe.from_schema(valid)
    check_settings(recipe.settings)
    if sound is not None:
        check_additions(sound, recipe.extend, recipe.add_channels)
    if not (0 <= recipe.stop_after < 2**31 and 0 <= recipe.atoms < 2**31):
        raise AtomizerError("The steps and the atoms of a fill are counted from 0.")
    return recipe
