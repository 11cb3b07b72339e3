"""A move with one rule and its e-mail over one connection: time, CPU until the e-mail has left, and when it arrives."""

import statistics
import time

from bench.served.board import Card
from bench.served.figures import Figures
from bench.served.mail import wait_until_sent
from bench.served.person import Answer, Person
from bench.served.server import Server
from tests.bareserver import ServerProcess

WARM, MOVES = 10, 150
PROMPT_MOVES, APART_S = 40, 0.3


def measure_moves(server: Server, mail: ServerProcess, person: Person) -> Figures:
    """One after the other without a pause, within the undo window; then their e-mails leave."""
    sent, before = len(wait_until_sent(mail, 0)), server.cpu_ms
    times = _move_to_and_fro(person)
    emails = len(wait_until_sent(mail, sent + WARM + MOVES)) - sent
    cpu = server.cpu_ms - before
    return {"move": statistics.median(times), "move_cpu": cpu / (WARM + MOVES), "move_emails": emails / (WARM + MOVES)}


def measure_moves_while_sending(server: Server, mail: ServerProcess, person: Person) -> Figures:
    """The same without an undo window: the worker sends meanwhile."""
    figures = measure_moves(server, mail, person)
    return {"move_sending": figures["move"], "move_sending_cpu": figures["move_cpu"]}


def _move_to_and_fro(person: Person) -> list[float]:
    """ms of each move, but the first ones."""
    board = person.board()
    card, statuses = board.open_cards(1)[0], board.tells_one
    return [_move(person, card, statuses).ms for _ in range(WARM + MOVES)][WARM:]


def measure_promptness(mail: ServerProcess, person: Person) -> Figures:
    """The e-mail of each move, from the move's request and from its answer. Moves come APART_S after each other."""
    board = person.board()
    card, statuses = board.open_cards(1)[0], board.tells_one
    sent = len(wait_until_sent(mail, 0))
    answers = []
    for _ in range(PROMPT_MOVES):
        answers.append(_move(person, card, statuses))
        time.sleep(APART_S)
    arrived = sorted(arrival.at.timestamp() for arrival in wait_until_sent(mail, sent + PROMPT_MOVES)[sent:])
    if len(arrived) != PROMPT_MOVES:
        raise RuntimeError(f"{len(arrived)} e-mails of {PROMPT_MOVES} moves: which is whose?")
    pairs = list(zip(answers, arrived, strict=True))
    return {
        "email_from_answer": statistics.median((at - answer.ended) * 1000 for answer, at in pairs),
        "email_from_request": statistics.median((at - answer.began) * 1000 for answer, at in pairs),
    }


def _move(person: Person, card: Card, statuses: tuple[int, int]) -> Answer:
    answer = person.move(card, statuses[1] if card.status == statuses[0] else statuses[0])
    if answer.code != 200:
        raise RuntimeError(f"a move was answered with {answer.code}")
    return answer
