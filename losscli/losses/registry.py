"""The catalogue: what a loss declares, and how it is found by any of its names."""

import inspect
import re
import types
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from types import ModuleType
from typing import Any, Literal, NamedTuple, TypeVar, Union, get_args, get_origin

from losscli.errors import UsageError
from losscli.losses import docstring
from losscli.losses.absent import ABSENT
from losscli.losses.constants import Constant
from losscli.losses.dialects import LIBRARIES, Dialect
from losscli.losses.examples import Edge as Edge
from losscli.losses.examples import Example as Example
from losscli.losses.numerics import Array, Mask
from losscli.losses.parameters import Choice, Flag, Kind, Number, Vector
from losscli.losses.properties import Properties as Properties
from losscli.losses.roles import ANYTHING, Role

Function = TypeVar("Function", bound=Callable[..., Any])


class Rows(NamedTuple):
    """What a loss returns when there is more to say of its rows than their loss.

    `loss` has any weights of the loss's own multiplied in, `weight` is what each entry adds to the
    denominator of a weighted mean, and an entry that `keep` leaves out is in no sum at all. `size`
    is what `mean-per-label` divides each loss by first, such as the length of its target.
    """

    loss: Array
    weight: Array | None = None
    keep: Mask | None = None
    size: Array | None = None


def weighted_rows(loss: Array, weight: Array | None) -> Rows:
    """Losses times weights of the loss's own, such as those of classes, where there are any."""
    return Rows(loss) if weight is None else Rows(loss * weight, weight)


def as_rows(result: Array | Rows) -> Rows:
    """What a loss said of its rows, also where that is their losses alone."""
    return result if isinstance(result, Rows) else Rows(result)


class Pooled(NamedTuple):
    """What a loss of a whole set returns: arrays to add up, and the loss of their sums.

    The arrays have the shape of the roles, one entry an element. `finish` takes the sums by their
    names, whatever they were taken over: a row, a group of rows, a class, or everything. Where
    classes, the last axis, have a loss each, `class_weight` weighs those.
    """

    sums: Mapping[str, Array]
    finish: Callable[..., Array | Rows]
    class_weight: Array | None = None


class Parameter(NamedTuple):
    """A keyword of a loss: what it may be, and what it is when nothing is said."""

    name: str
    kind: Kind
    default: Any
    help: str

    @property
    def option(self) -> str:
        """The command-line option that sets it."""
        return "--" + self.name.replace("_", "-")

    def parse(self, value: object) -> Any:
        """A value for the function; a UsageError names the option and what it takes."""
        if value is None and self.default is None:
            return None
        try:
            return self.kind.parse(value)
        except ValueError as error:
            raise UsageError(f"{self.option}: {error}") from None


class Alias(NamedTuple):
    """Another name of a loss, with the parameters that the name implies."""

    name: str
    preset: Mapping[str, Any] = {}


def alias(name: str, **preset: Any) -> Alias:
    """A name under which a library has the loss with these parameters."""
    return Alias(name, preset)


class Origin(NamedTuple):
    """Where a loss comes from that is not of the catalogue: a file, a function or a package."""

    #: what is typed for the loss
    reference: str
    #: what a signature says of it
    shown: Mapping[str, str]
    #: the file of its code
    path: str


@dataclass(frozen=True)
class Loss:
    """A loss function and all that its declaration says. Calling it calls the function."""

    name: str
    family: str
    function: Callable[..., Any]
    aliases: tuple[Alias, ...] = ()
    #: how the elements of a row become its loss when nothing is said
    row: str = "mean"
    #: groups of alternatives of which exactly one must be given; a tuple of roles is an
    #: alternative whose roles belong together
    one_of: tuple[tuple[str | tuple[str, ...], ...], ...] = ()
    #: roles that are given with a flag, and only with it, by the flag
    with_flag: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    #: parameters that are about a role that may be absent, by the role
    for_role: Mapping[str, str] = field(default_factory=dict)
    #: parameters that are about one kind of `input`, by that
    for_input: Mapping[str, str] = field(default_factory=dict)
    example: Example | None = None
    #: cases that the formula alone does not answer
    edges: tuple[Edge, ...] = ()
    #: "row": a row's loss is its own; "pooled": a function of sums over rows; "batch": a row's loss
    #: depends on its batch
    kind: Literal["row", "pooled", "batch"] = "row"
    #: the options under which the loss is a library's, by library
    dialects: Mapping[str, Dialect] = field(default_factory=dict)
    #: the best constant prediction, where it has a simple form
    constant: Constant | None = None
    properties: Properties | None = None
    #: the loss of several classes that takes the place of this one, which is of two
    of_classes: str = ""
    #: what its dialects differ on, where they agree on the example
    differing: Example | None = None
    #: None for a loss of the catalogue
    origin: Origin | None = None
    __hash__ = object.__hash__

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.function(*args, **kwargs)

    @cached_property
    def manual(self) -> docstring.Manual:
        """The docstring, by section."""
        return docstring.read(self.function)

    @property
    def summary(self) -> str:
        """The first sentence of the docstring."""
        return self.manual.summary or "No description."

    @property
    def reference(self) -> str:
        """What is typed for the loss on a command line."""
        return self.name if self.origin is None else self.origin.reference

    @cached_property
    def signature(self) -> Mapping[str, inspect.Parameter]:
        return inspect.signature(self.function, eval_str=True).parameters

    @cached_property
    def roles(self) -> dict[str, Role]:
        """The inputs, in the order of the function's positional parameters."""
        return {
            name: _role(p.annotation)._replace(optional=p.default is None)
            for name, p in self.signature.items()
            if p.kind == inspect.Parameter.POSITIONAL_OR_KEYWORD and not _is_set(p)
        }

    @cached_property
    def parameters(self) -> dict[str, Parameter]:
        """The keyword-only parameters, and those that a number or a word is the default of."""
        entries = self.manual.entries("Parameters")
        return {
            name: Parameter(name, _kind(p), p.default, entries.get(name, ""))
            for name, p in self.signature.items()
            if p.kind == inspect.Parameter.KEYWORD_ONLY
            or (p.kind == inspect.Parameter.POSITIONAL_OR_KEYWORD and _is_set(p))
        }

    def dialect(self, library: str) -> Dialect:
        """A library's form of the loss; a UsageError says which libraries have one."""
        if library in self.dialects:
            return self.dialects[library]
        if library not in LIBRARIES:
            raise UsageError(
                f"no dialect '{library}'",
                suggestion(library, LIBRARIES) or f"the dialects are {', '.join(LIBRARIES)}",
            )
        if other := CATALOGUE.under_its_name(self, library):
            called = other.dialects[library].name(library)
            hint = f"{called} is {other.name}, which has --dialect {library}"
        else:
            # What a library keeps in an estimator or a score is not for this to deny.
            hint = f"its dialects: {', '.join(self.dialects) or 'none'}"
        raise UsageError(f"{self.name} has no dialect {library}", hint)

    def resolve(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Every parameter's value: those given, checked, and the defaults of the others."""
        for name in given:
            if name not in self.parameters:
                raise UsageError(
                    f"{self.name} has no parameter '{name}'",
                    suggestion(
                        name, [*self.parameters, *self.roles, "weight", "reduction", "labels"]
                    )
                    or f"losscli info {self.reference} lists them",
                )
        return {
            name: parameter.parse(given[name]) if name in given else parameter.default
            for name, parameter in self.parameters.items()
        }


def _is_set(parameter: inspect.Parameter) -> bool:
    """Whether a parameter has a value by default; an input that may be absent has None."""
    return parameter.default is not None and parameter.default is not parameter.empty


def _present(annotation: Any) -> Any:
    """What `… | None` is when it is not None."""
    if get_origin(annotation) in (Union, types.UnionType):
        return next(part for part in get_args(annotation) if part is not type(None))
    return annotation


def _metadata(annotation: Any) -> tuple[Any, ...]:
    """What an `Annotated[…]` carries, also inside `… | None`."""
    return getattr(_present(annotation), "__metadata__", ())


def _role(annotation: Any) -> Role:
    """The role that an annotation declares; any numbers where it declares none."""
    return next((item for item in _metadata(annotation) if isinstance(item, Role)), ANYTHING)


def _kind(parameter: inspect.Parameter) -> Kind:
    """The kind of parameter that an annotation declares, or else a default that is a number."""
    if parameter.default is parameter.empty:
        raise TypeError(f"'{parameter.name}' has no default: expected {parameter.name}=…")
    for item in _metadata(parameter.annotation):
        if isinstance(item, (Number, Choice, Flag, Vector)):
            return item
    declared = _present(parameter.annotation)
    if declared is parameter.empty:
        declared = type(parameter.default)
        # A default of 1 does not say that there is nothing between 1 and 2.
        declared = float if declared is int else declared
    if declared is bool:
        return Flag()
    if declared in (int, float):
        return Number(integer=declared is int)
    if get_origin(declared) is Literal:
        return Choice(get_args(declared))
    raise TypeError(
        f"'{parameter.name}' cannot be an option: expected a number, a bool, or one of some "
        'words that are declared, such as Literal["sum", "max"]'
    )


@dataclass
class Catalogue:
    """Every loss, by name; names are compared without case, separators and a final 'loss'."""

    losses: dict[str, Loss] = field(default_factory=dict)
    _names: dict[str, tuple[Loss, Alias]] = field(default_factory=dict)

    def add(self, loss: Loss) -> None:
        """Take a loss in, under its name and its aliases; two losses may not claim one name."""
        for name in (Alias(loss.name), *loss.aliases):
            taken = self._names.get(name_key(name.name))
            if taken is not None and (taken[0] is not loss or taken[1].preset != name.preset):
                raise ValueError(f"{loss.name} claims '{name.name}', a name of {taken[0].name}")
            self._names[name_key(name.name)] = (loss, name)
        self.losses[loss.name] = loss

    def find(self, name: str) -> tuple[Loss, Mapping[str, Any]] | None:
        """The loss of this name and the parameters the name implies, or None."""
        found = self._names.get(name_key(name))
        return (found[0], found[1].preset) if found else None

    def get(self, name: str) -> tuple[Loss, Mapping[str, Any]]:
        """As `find`; a UsageError with a suggestion when there is none."""
        found = self.find(name)
        if found is None and (advice := absent(name)):
            raise UsageError(f"{name} is not in the catalogue", advice)
        if found is None:
            raise UsageError(
                f"no loss is called '{name}'",
                self.suggest(name) or "losscli list shows them all",
            )
        return found

    def under_its_name(self, loss: Loss, library: str) -> Loss | None:
        """The loss that a library gives one of another loss's names."""
        for other in self:
            form = other.dialects.get(library)
            found = form and self.find(form.call.rpartition(".")[2])
            if found and found[0] is loss and other is not loss:
                return other
        return None

    def suggest(self, name: str) -> str:
        """'did you mean …?' for a name that is nearly one, else nothing."""
        keys = nearest(name_key(name), self._names, n=6, cutoff=0.7)
        names = list(dict.fromkeys(self._names[key][0].name for key in keys))[:3]
        return f"did you mean {' or '.join(names)}?" if names else ""

    def __iter__(self) -> Iterator[Loss]:
        return iter(self.losses.values())


def name_key(name: str) -> str:
    """What is compared of a name: no case, no separators and no final "loss"."""
    key = re.sub(r"[^a-z0-9]", "", name.lower())
    return key.removesuffix("loss") or key


def absent(name: str) -> str:
    """Why a name of libraries is not in the catalogue, and what to do instead, or nothing."""
    advice = {name_key(each): text for names, text in ABSENT for each in names}
    key = name_key(name)
    return advice.get(key) or advice.get(re.sub("^(binary|multiclass|multilabel)", "", key), "")


def nearest(name: str, names: Iterable[str], n: int = 1, cutoff: float = 0.6) -> list[str]:
    """The names most like one. Only mistakes need the library."""
    from difflib import get_close_matches

    return get_close_matches(name, list(names), n, cutoff)


def suggestion(name: str, names: Any) -> str:
    """'did you mean …?' for the nearest of some names, else nothing."""
    near = nearest(name, names)
    return f"did you mean {near[0]}?" if near else ""


CATALOGUE = Catalogue()


#: where a function keeps what it declares
_DECLARATION = "__losscli__"


def declaration(function: Any) -> Loss | None:
    """The loss that a function declares to be, if it does."""
    found = getattr(function, _DECLARATION, None)
    if not isinstance(found, Loss):
        return None
    # A decorator above `@loss` hands the declaration on, to a function that is another.
    return found if found.function is function else replace(found, function=function)


def declared(module: ModuleType) -> list[Loss]:
    """The losses that a module declares, in its order; not those that it imports."""
    own = [v for v in vars(module).values() if getattr(v, "__module__", "") == module.__name__]
    found = {id(function): declaration(function) for function in own}
    return [each for each in found.values() if each is not None]


def loss(
    name: str,
    *,
    family: str = "own",
    aliases: tuple[str | Alias, ...] = (),
    row: Literal["mean", "sum"] = "mean",
    one_of: tuple[tuple[str | tuple[str, ...], ...], ...] = (),
    with_flag: Mapping[str, tuple[str, ...]] | None = None,
    for_role: Mapping[str, str] | None = None,
    for_input: Mapping[str, str] | None = None,
    example: Example | None = None,
    edges: tuple[Edge, ...] = (),
    kind: Literal["row", "pooled", "batch"] = "row",
    dialects: Mapping[str, Dialect] | None = None,
    constant: Constant | None = None,
    properties: Properties | None = None,
    of_classes: str = "",
    differing: Example | None = None,
) -> Callable[[Function], Function]:
    """Declare a function to be a loss. The function itself stays as it is."""
    if not isinstance(name, str):
        raise TypeError('@loss takes the name of the loss: @loss("my-loss")')

    def declare(function: Function) -> Function:
        if getattr(function, _DECLARATION, None) is not None:
            raise TypeError(f"{function.__name__} is declared to be a loss twice")
        names = tuple(a if isinstance(a, Alias) else Alias(a) for a in aliases)
        one = Loss(
            name,
            family,
            function,
            names,
            row,
            one_of,
            with_flag or {},
            for_role or {},
            for_input or {},
            example,
            edges,
            kind,
            dialects or {},
            constant,
            properties,
            of_classes,
            differing,
        )
        setattr(function, _DECLARATION, one)
        return function

    return declare
