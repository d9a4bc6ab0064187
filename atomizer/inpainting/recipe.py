"""Recipes: everything that a fill depends on except the sound and the model, as JSON-ready data.

    recipe = Recipe(parse(["above:8000"]), Settings(seed=3))
    sound = recipe.apply(read("in.wav"), load_model())

The page exports its work as a settings file: a list of recipes, one per fill that became the next
original. `python -m atomizer fill in.wav out.wav --settings saved.json` repeats it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any

from ..analysis import ATOMIZERS, Stop
from ..atoms.atoms import Atoms
from ..atoms.selection import Selection
from ..io.audio import Sound
from .erase import Residual, check_fillable, erase_atoms
from .fill import fill
from .settings import Settings
from .shaping import FillShape, shape_fill
from .step import Step
from .task import Task, outline, prepare

if TYPE_CHECKING:
    from ..model.inference import AtomModel
    from .recipe_schema import RecipeSchema

Callback = Callable[[Step], object]
FilledPlace = tuple[Selection, float, int]  # Recipe.place


@dataclass(frozen=True)
class Recipe:
    """One fill.

    selection     the unknown atoms and features
    settings      how they are filled in
    extend        seconds by which the sound is continued
    add_channels  number of channels that are added
    stop_after    steps after which the fill was stopped; 0 if it ran to its end
    atomizer      name in `ATOMIZERS`; with a matching pursuit its atoms are erased first, and the
                  sound of the other atoms is filled in
    atoms         number of atoms that the pursuit takes
    shape         how the fill is changed afterwards
    """

    selection: Selection = field(default_factory=Selection)
    settings: Settings = field(default_factory=Settings)
    extend: float = 0.0
    add_channels: int = 0
    stop_after: int = 0
    atomizer: str = "mdct"
    atoms: int = 0
    shape: FillShape = FillShape()

    def erase_atoms(self, sound: Sound, atoms: Atoms | None = None) -> Residual:
        """The sound without the selected matching-pursuit atoms.

        atoms  atoms of the sound if they are known

        Raises AtomizerError if they cannot be erased or filled in.
        """
        check_fillable(self.selection)
        atomizer = ATOMIZERS[self.atomizer](stop=Stop(atoms=self.atoms))
        return erase_atoms(sound, self.selection, atomizer, self.settings.seed, atoms)

    @property
    def place(self) -> FilledPlace:
        """What part of a sound is filled in: equal for two recipes that fill in the same part."""
        return replace(self.selection, features=()), self.extend, self.add_channels

    def with_seed(self, seed: int) -> Recipe:
        """The same recipe with another seed."""
        return replace(self, settings=replace(self.settings, seed=seed))

    @property
    def fills_anything(self) -> bool:
        """Whether the recipe selects atoms, or adds time or channels."""
        chosen = self.selection
        selects = bool(chosen.regions or chosen.parts or chosen.above_cutoff)
        return selects or bool(self.extend or self.add_channels)

    def check_pursuit(self) -> None:
        """Raise AtomizerError if pursuit atoms cannot be erased, or filled in, by this recipe."""
        if self.settings.method != "erased":
            check_fillable(self.selection)

    def after_erasing(self) -> list[Recipe]:
        """What is left to do once the selected matching-pursuit atoms are erased.

        With the method "erased" no MDCT atom is erased, too; the sound may still be extended.
        """
        if self.settings.method != "erased":
            return [self]
        rest = replace(self, selection=Selection())
        return [rest] if rest.fills_anything else []

    def task(self, sound: Sound) -> Task:
        """The task of filling in this sound; raises AtomizerError if the recipe does not fit it."""
        return prepare(
            sound,
            self.selection,
            extend=self.extend,
            add_channels=self.add_channels,
            seed=self.settings.seed,
        )

    def outline(self, sound: Sound) -> Task:
        """`task` of regions without atoms, to count its work (`task.outline`): in milliseconds."""
        return outline(sound, self.selection, extend=self.extend, add_channels=self.add_channels)

    def apply(
        self, sound: Sound, model: AtomModel | None = None, on_step: Callback | None = None
    ) -> Sound:
        """The sound with its unknown atoms filled in.

        model    needed for the method "model"
        on_step  called with every `Step`
        """
        return self.run(sound, self.task_after_erasing(sound), model, on_step)

    def task_after_erasing(self, sound: Sound) -> Task:
        """The task of filling in this sound once the selected pursuit atoms are erased from it."""
        return self.task(sound if self.atomizer == "mdct" else self.erase_atoms(sound).sound)

    def run(
        self,
        sound: Sound,
        task: Task,
        model: AtomModel | None = None,
        on_step: Callback | None = None,
    ) -> Sound:
        """`apply` with a task of `sound` that was made before."""
        for step in fill(task, self.settings, model):
            if on_step is not None:
                on_step(step)
            if step.number == self.stop_after:
                break
        filled = task.render(step.grid)
        if self.shape == FillShape():
            return filled
        return shape_fill(sound, self.masked(task), filled, self.shape)

    def masked(self, task: Task) -> Sound:
        """The sound of a task of this recipe before it is filled in."""
        if self.atomizer != "mdct":  # the selected atoms are erased already
            return task.render(task.grid)
        return task.render(task.masked(self.settings.seed))

    def to_dict(self) -> dict[str, Any]:
        """The recipe as JSON-ready data, without default values; `from_dict` reads it back."""
        data: dict[str, Any] = {
            "selection": self.selection.to_dict(),
            "settings": asdict(self.settings),
        }
        for name in ("extend", "add_channels", "stop_after", "atoms"):
            if getattr(self, name):
                data[name] = getattr(self, name)
        if self.atomizer != "mdct":
            data["atomizer"] = self.atomizer
        if self.shape != FillShape():
            data["shape"] = self.shape.to_dict()
        return data

    @classmethod
    def from_dict(cls, data: Any) -> Recipe:
        """Recipe of parsed JSON; raises AtomizerError that says what is invalid."""
        from ..validation import validate  # loads pydantic
        from .recipe_schema import RecipeSchema

        return cls.from_schema(validate(RecipeSchema, data))

    @classmethod
    def from_schema(cls, valid: RecipeSchema) -> Recipe:
        """Recipe of valid data; raises AtomizerError for an invalid part of the selection."""
        values = {f.name: getattr(valid, f.name) for f in fields(cls)}
        values["selection"] = Selection.from_schema(valid.selection)
        values["settings"] = Settings(**valid.settings.model_dump())
        values["shape"] = FillShape(**valid.shape.model_dump())
        return cls(**values)


def dump_recipes(recipes: Iterable[Recipe], **facts: Any) -> str:
    """Text of a settings file; `facts` are written beside the recipes, for people to read."""
    return json.dumps({**facts, "fills": [recipe.to_dict() for recipe in recipes]}, indent=1)


def parse_recipes(text: str) -> list[Recipe]:
    """Recipes of the text of a settings file; raises AtomizerError that says what is invalid."""
    from ..validation import parse_json, validate  # loads pydantic
    from .recipe_schema import SettingsFileSchema

    valid = validate(SettingsFileSchema, parse_json(text, "The settings file"))
    return [Recipe.from_schema(fill) for fill in valid.fills]


def vary_seed(recipe: Recipe, count: int) -> list[Recipe]:
    """`count` variations of a recipe: the same with its seed and the following seeds."""
    seeds = range(recipe.settings.seed, recipe.settings.seed + count)
    return [recipe.with_seed(seed) for seed in seeds]
