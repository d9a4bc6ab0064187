"""Recipes: everything that a fill depends on but the sound and the model, as JSON-ready data.

    recipe = Recipe(parse(["above:8000"]), Settings(seed=3))
    sound = recipe.make(read("in.wav"), load_model())

The page saves what it did as a list of recipes, one for every sound that was filled in and used as the next original;
`python -m atomizer fill in.wav out.wav --settings saved.json` does it again.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any

from ..analysis import ATOMIZERS, Stop, check_name
from ..atoms.atoms import Atoms
from ..atoms.selection import Selection
from ..errors import AtomizerError
from ..io.audio import Sound
from ..limits import limits
from .erase import Remaining, check_fillable, remaining
from .fill import fill
from .settings import Settings
from .task import Task, prepare

if TYPE_CHECKING:
    from ..model import AtomTransformer


@dataclass(frozen=True)
class Recipe:
    """One fill.

    selection     what is unknown, and which features of it
    settings      how it is filled in
    extend        seconds by which the sound is continued
    add_channels  channels that are added to it
    stop_after    steps after which the fill was stopped; 0 where it went on to its end
    atomizer      whose atoms are erased: where they are of a matching pursuit, the sound of those that remain is filled in
    atoms         how many of them the pursuit takes
    """

    selection: Selection = field(default_factory=Selection)
    settings: Settings = field(default_factory=Settings)
    extend: float = 0.0
    add_channels: int = 0
    stop_after: int = 0
    atomizer: str = "mdct"
    atoms: int = 0

    def remaining(self, sound: Sound, atoms: Atoms | None = None) -> Remaining:
        """The matching-pursuit atoms that remain where the selection is erased; `atoms` are all of the sound's, where they are known."""
        check_fillable(self.selection)
        return remaining(
            sound,
            self.selection,
            ATOMIZERS[self.atomizer](stop=Stop(atoms=self.atoms)),
            self.settings.seed,
            atoms,
        )

    def task(self, sound: Sound) -> Task:
        """The task of this recipe for a sound, of the remaining atoms where some were erased; raises AtomizerError where it does not fit the sound."""
        return prepare(
            sound,
            self.selection,
            extend=self.extend,
            add_channels=self.add_channels,
            seed=self.settings.seed,
        )

    def make(
        self, sound: Sound, model: AtomTransformer | None = None, on_step=lambda step: None
    ) -> Sound:
        """The sound with its unknown atoms filled in; `on_step` is called with every `Step`."""
        task = self.task(sound if self.atomizer == "mdct" else self.remaining(sound).sound)
        for step in fill(task, self.settings, model):
            on_step(step)
            if step.number == self.stop_after:
                break
        return task.render(step.grid)

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready data; `from_dict` reads it back."""
        data: dict[str, Any] = {
            "selection": self.selection.to_dict(),
            "settings": asdict(self.settings),
        }
        return (
            data
            | {
                name: getattr(self, name)
                for name in ("extend", "add_channels", "stop_after", "atoms")
                if getattr(self, name)
            }
            | ({} if self.atomizer == "mdct" else {"atomizer": self.atomizer})
        )

    @classmethod
    def from_dict(cls, data: Any) -> Recipe:
        """Recipe of parsed JSON. Raises AtomizerError that names what is wrong."""
        if not isinstance(data, dict) or not isinstance(data.get("settings", {}), dict):
            raise AtomizerError('A fill is an object {"selection": {...}, "settings": {...}}.')
        unknown = set(data) - {f.name for f in fields(cls)} or set(data.get("settings", {})) - {
            f.name for f in fields(Settings)
        }
        if unknown:
            raise AtomizerError(
                f"A fill has no {min(unknown)[:40]!r}: its settings are {', '.join(f.name for f in fields(Settings))}."
            )
        recipe = cls(
            Selection.from_dict(data.get("selection", {"regions": []})),
            Settings(**data.get("settings", {})),
            data.get("extend", 0.0),
            data.get("add_channels", 0),
            data.get("stop_after", 0),
            data.get("atomizer", "mdct"),
            data.get("atoms", 0),
        )
        recipe._check_kinds()
        return recipe

    def _check_kinds(self) -> None:
        """Raise where a value is of another kind than the declared one; ranges are checked where values are used."""
        number, whole, name, truth = (int, float), (int,), (str,), (bool,)
        wanted = {
            "method": name,
            "order": name,
            "reverse": truth,
            "steps": whole,
            "temperature": number,
            "nucleus": number,
            "amplitudes": name,
            "seed": whole,
        }
        values = [(key, getattr(self.settings, key), kinds) for key, kinds in wanted.items()]
        values += [
            (key, getattr(self, key), kinds)
            for key, kinds in (
                ("extend", number),
                ("add_channels", whole),
                ("stop_after", whole),
                ("atomizer", name),
                ("atoms", whole),
            )
        ]
        optional = {f.name for f in fields(Settings) if f.default is None}
        for key, value, kinds in values:
            if value is None and key in optional:
                continue
            if not isinstance(value, kinds) or isinstance(value, bool) != (kinds is truth):
                raise AtomizerError(
                    f"The {key.replace('_', ' ')} of a fill cannot be {str(value)[:40]!r}."
                )
        check_name(self.atomizer)


def dump(recipes: Iterable[Recipe], **facts: Any) -> str:
    """Recipes as the text of a settings file; `facts` are written beside them for people to read."""
    return json.dumps({**facts, "fills": [recipe.to_dict() for recipe in recipes]}, indent=1)


def parse_recipes(text: str) -> list[Recipe]:
    """The recipes of a settings file. Raises AtomizerError where it is none."""
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise AtomizerError(f"The settings are no valid JSON: {error}.") from error
    if (
        not isinstance(data, dict)
        or not isinstance(data.get("fills"), list)
        or not 1 <= len(data["fills"]) <= limits().fills
    ):
        raise AtomizerError(
            f'The settings are an object {{"fills": [...]}} with 1 to {limits().fills} fills, as the page saves them.'
        )
    return [Recipe.from_dict(item) for item in data["fills"]]


def seeds(recipe: Recipe, count: int) -> list[Recipe]:
    """Variations of a recipe: the same with this seed and those that follow it."""
    return [
        replace(recipe, settings=replace(recipe.settings, seed=recipe.settings.seed + k))
        for k in range(count)
    ]
