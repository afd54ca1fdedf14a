"""A small command-line debugger over frames whose values are known.

It looks, and does not step: the program is compiled, and where it stands is one point.
"""

from __future__ import annotations

import cmd
import linecache
import pprint
import sys
import traceback
from collections.abc import Callable, Sequence
from types import CodeType, FrameType
from typing import IO, Any

_AROUND = 5  # lines of source that `list` shows before and after


class Frame:
    """A frame of a Python function: where it stands, and its variables.

    Attributes:
        code: the function's code.
        line: the line it is at.
        locals, globals: its variables; of the global ones those that the code names.
    """

    def __init__(
        self, code: CodeType, line: int, local: dict[str, Any], outer: dict[str, Any]
    ) -> None:
        self.code = code
        self.line = line
        self.locals = local
        self.globals = outer

    @classmethod
    def of(cls, frame: FrameType) -> Frame:
        """The state of a running frame."""
        names = frame.f_code.co_names
        outer = {n: frame.f_globals[n] for n in names if n in frame.f_globals}
        local = {} if frame.f_locals is frame.f_globals else dict(frame.f_locals)
        return cls(frame.f_code, frame.f_lineno, local, outer)

    def describe(self) -> Callable[[Sequence[Any]], Frame]:
        """What makes the frame again, of other values for its variables."""
        code, line, local, outer = self.code, self.line, [*self.locals], [*self.globals]

        def make(values: Sequence[Any]) -> Frame:
            n = len(local)
            return Frame(
                code,
                line,
                dict(zip(local, values[:n], strict=True)),
                dict(zip(outer, values[n:], strict=True)),
            )

        return make

    def place(self) -> str:
        """`  File "...", line 3, in f`, as tracebacks have it."""
        return f'File "{self.code.co_filename}", line {self.line}, in {self.code.co_name}'

    def evaluate(self, expression: str) -> Any:
        """The value of a Python expression here."""
        return eval(expression, {**self.globals}, self.locals)


class Debugger(cmd.Cmd):
    """Reads commands until it is told to go on.

    Args:
        frames: the frames, innermost first.
        stdin, stdout: where commands come from and answers go; the process's own if None.
        completekey: as for `cmd.Cmd`.
    """

    prompt = "(jdb) "

    def __init__(
        self,
        frames: Sequence[Frame],
        stdin: IO[str] | None = None,
        stdout: IO[str] | None = None,
        completekey: str = "tab",
    ) -> None:
        super().__init__(completekey, stdin or sys.stdin, stdout or sys.stdout)
        self.use_rawinput = stdin is None and stdout is None
        self.frames = list(frames)
        self.at = 0
        self._quit = False

    @property
    def frame(self) -> Frame:
        """The frame that is looked at."""
        return self.frames[self.at]

    def run(self) -> None:
        """Talk until the user goes on.

        Raises:
            SystemExit: the user has had enough.
        """
        self._say("Entering jdb:")
        while True:
            try:
                self.cmdloop()
                break
            except KeyboardInterrupt:
                self._say("--KeyboardInterrupt--")
        if self._quit:
            raise SystemExit("jx.debug.breakpoint: quit")

    def _say(self, text: str) -> None:
        self.stdout.write(f"{text}\n")
        self.stdout.flush()

    def _show(self, expression: str, write: Callable[[Any], str]) -> None:
        try:
            self._say(write(self.frame.evaluate(expression)))
        except Exception as error:
            said = traceback.format_exception_only(error)[-1].rstrip()
            self._say(f"*** {said}")

    def default(self, line: str) -> None:
        """Any other line is an expression to be printed."""
        self._show(line, repr)

    def emptyline(self) -> bool:
        return False

    def do_p(self, arg: str) -> None:
        """p(rint) expression
        Print the value of an expression."""
        self._show(arg, repr)

    do_print = do_p

    def do_pp(self, arg: str) -> None:
        """pp expression
        Pretty-print the value of an expression."""
        self._show(arg, pprint.pformat)

    def do_locals(self, arg: str) -> None:
        """locals
        Print the local variables of the frame."""
        for name, value in self.frame.locals.items():
            self._say(f"{name} = {value!r:.200}")

    def do_args(self, arg: str) -> None:
        """a(rgs)
        Print the arguments of the function."""
        code = self.frame.code
        for name in code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]:
            if name in self.frame.locals:
                self._say(f"{name} = {self.frame.locals[name]!r:.200}")

    do_a = do_args

    def do_up(self, arg: str) -> None:
        """u(p)
        Go to the frame that called this one."""
        self._move(1, "Oldest frame")

    do_u = do_up

    def do_down(self, arg: str) -> None:
        """d(own)
        Go to the frame that this one called."""
        self._move(-1, "Newest frame")

    do_d = do_down

    def _move(self, step: int, end: str) -> None:
        if not 0 <= self.at + step < len(self.frames):
            self._say(f"*** {end}")
            return
        self.at += step
        self._say(f"> {self.frame.place()}")

    def do_where(self, arg: str) -> None:
        """w(here), bt
        Print the frames, innermost last; the one that is looked at has an arrow."""
        for i in reversed(range(len(self.frames))):
            frame = self.frames[i]
            self._say(f"{'->' if i == self.at else '  '} {frame.place()}")
            text = linecache.getline(frame.code.co_filename, frame.line).strip()
            if text:
                self._say(f"     {text}")

    do_w = do_bt = do_where

    def do_list(self, arg: str) -> None:
        """l(ist)
        Print the source around the line that the frame is at."""
        frame = self.frame
        self._say(f"> {frame.place()}")
        lines = linecache.getlines(frame.code.co_filename)
        if not lines:
            self._say("   <no source>")
        first = max(frame.line - _AROUND, 1)
        for number in range(first, min(frame.line + _AROUND, len(lines)) + 1):
            mark = "->" if number == frame.line else "  "
            self._say(f"{number:5} {mark} {lines[number - 1].rstrip()}")

    do_l = do_list

    def do_continue(self, arg: str) -> bool:
        """c(ont(inue))
        Go on with the program."""
        return True

    do_c = do_cont = do_EOF = do_continue

    def do_quit(self, arg: str) -> bool:
        """q(uit), exit
        Stop the program with an error."""
        self._quit = True
        return True

    do_q = do_exit = do_quit
