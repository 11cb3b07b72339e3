"""To-dos: their verbs here; what reads them, the form, the pages beside."""

from kanban.todos.verbs import (
    MOST_TEXT,
    TodoFields,
    add,
    change,
    done,
    due_at,
    find_todo,
    may_finish,
    remove,
    take_back,
    undone,
    whose,
    work_topics,
)

__all__ = [
    "MOST_TEXT",
    "TodoFields",
    "add",
    "change",
    "done",
    "due_at",
    "find_todo",
    "may_finish",
    "remove",
    "take_back",
    "undone",
    "whose",
    "work_topics",
]
