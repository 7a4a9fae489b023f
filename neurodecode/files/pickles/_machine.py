"""A stack machine for pickles that calls nothing: instructions in, plain data out."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any, BinaryIO

from neurodecode.files.pickles._errors import DamageError, PickleError, RefusalError, named
from neurodecode.files.pickles._limits import Budget, check_unfolded
from neurodecode.files.pickles._opcodes import COSTS, INSTRUCTIONS
from neurodecode.files.pickles._shapes import ARRAY_CLASSES, Call, Name, data_calls, finish
from neurodecode.files.pickles._values import Marker, Source, plain

Persistent = Callable[[Any], Any]
STOP = b"."
CALLS = data_calls()


class Machine:
    """The stack, the memo and the bounds of one pickle.

    Parameters
    ----------
    stream : binary file
        At the pickle's first byte.
    end : int
        Where the bytes of the pickle end at the latest.
    calls : mapping, optional
        More calls that are recognised, by module and name.
    names : set, optional
        More names that may stand among the arguments of a call.
    persistent : callable, optional
        What a persistent id stands for; refused when None.
    n_bytes : int, optional
        Size that the bounds go by, where it is more than the pickle's own.
    """

    def __init__(
        self,
        stream: BinaryIO,
        end: int,
        *,
        calls: Mapping[Name, Call] | None = None,
        names: frozenset[Name] = frozenset(),
        persistent: Persistent | None = None,
        n_bytes: int | None = None,
    ) -> None:
        self.budget = Budget(n_bytes if n_bytes is not None else max(end - stream.tell(), 0))
        self.source = Source(stream, end, self.budget)
        self.stack: list[Any] = []
        self.marks: list[list[Any]] = []
        self.memo: dict[int, Any] = {}
        self._calls = {**CALLS, **(calls or {})}
        self._names = ARRAY_CLASSES | names | set(self._calls)
        self._persistent = persistent

    def run(self) -> Any:
        """The data that the pickle describes.

        Raises
        ------
        RefusalError
            If it asks for anything else.
        DamageError
            If it is cut off or altered, or costs more than the bounds.
        """
        start = self.source.position
        try:
            while True:
                start = self.source.position
                code = self.source.read(1)
                if code == STOP:
                    return self._whole()
                self.budget.spend_objects(COSTS.get(code, 48))
                if code not in INSTRUCTIONS:
                    raise DamageError(f"{code!r} is no instruction")
                INSTRUCTIONS[code](self)
        except PickleError as problem:
            problem.offset = start
            raise

    def _whole(self) -> Any:
        if self.marks or len(self.stack) != 1:
            raise DamageError("it does not end with one value")
        value = plain(self.stack.pop())
        check_unfolded(value, self.budget)
        return value

    def push(self, value: Any) -> None:
        """Put a value on the stack."""
        self.stack.append(value)

    def pop(self) -> Any:
        """Take a value from the stack."""
        if not self.stack:
            raise DamageError("an instruction lacks its values")
        return self.stack.pop()

    def pop_many(self, n_items: int) -> list[Any]:
        """Take values from the stack, in the order they were put."""
        if len(self.stack) < n_items:
            raise DamageError("an instruction lacks its values")
        items = self.stack[-n_items:]
        del self.stack[-n_items:]
        return items

    def mark(self) -> None:
        """Start a stack over this one."""
        self.marks.append(self.stack)
        self.stack = []

    def pop_to_mark(self) -> list[Any]:
        """All values since the last mark."""
        if not self.marks:
            raise DamageError("an instruction lacks its mark")
        items, self.stack = self.stack, self.marks.pop()
        return items

    def drop(self) -> None:
        """Take a value, or an empty mark, from the stack."""
        if self.stack:
            self.stack.pop()
        else:
            self.pop_to_mark()

    def drop_to_mark(self) -> None:
        """Forget all values since the last mark."""
        self.pop_to_mark()

    def top(self, kind: type | None = None) -> Any:
        """The value on top of the stack, which must be of this kind."""
        if not self.stack:
            raise DamageError("an instruction lacks its values")
        value = self.stack[-1]
        accepted = (dict, OrderedDict) if kind is dict else (kind,)
        if kind is not None and type(value) not in accepted:
            raise DamageError(f"a {type(value).__name__} stands where a {kind.__name__} must stand")
        return value

    def put_items(self, into: Any, items: list[Any]) -> None:
        """Keys and values by turns."""
        if len(items) % 2:
            raise DamageError("a key has no value")
        self.budget.spend_objects(52 * len(items))
        for key, value in zip(items[::2], items[1::2], strict=True):
            into[self.budget.check_key(plain(key))] = plain(value)

    def recall(self, number: int) -> None:
        """Put a value of the memo on the stack."""
        if number not in self.memo:
            raise DamageError(f"nothing was memorised as {number}")
        self.push(self.memo[number])

    def push_name(self, module: str, name: str) -> None:
        """Put a name on the stack, if it is one that data needs."""
        if (module, name) not in self._names:
            raise RefusalError(named(f"{module}.{name}"))
        self.push(Marker(module, name))

    def call(self, called: Marker, args: tuple[Any, ...]) -> Any:
        """What a recognised call gives."""
        call = self._calls.get((called.module, called.name))
        if call is None:
            raise RefusalError(f"a call of {called.module}.{called.name}")
        return call(args, self.budget)

    def finish(self, value: Any, state: Any) -> None:
        """Give a dtype or an array its state."""
        finish(value, state, self.budget)

    def persistent(self, identity: Any) -> Any:
        """What a persistent id stands for."""
        if self._persistent is None:
            raise RefusalError("a persistent id")
        return self._persistent(identity)
