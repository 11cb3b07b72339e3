"""Cases of Russian words, as people name roles, documents and themselves."""

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kanban.words.declension import ACCUSATIVE, DATIVE, GENITIVE, accusative, agreeing, dative, declined, declined_name, genitive

TRADES = [
    ("Главный технолог", "Главному технологу"),
    ("главный технолог", "главному технологу"),
    ("Менеджер", "Менеджеру"),
    ("Менеджер по продажам", "Менеджеру по продажам"),
    ("Начальник производства", "Начальнику производства"),
    ("Мастер ОТК", "Мастеру ОТК"),
    ("Оператор ЧПУ", "Оператору ЧПУ"),
    ("Менеджер B2B", "Менеджеру B2B"),
    ("Менеджер (опт)", "Менеджеру (опт)"),
    ("Технолог 2 смены", "Технологу 2 смены"),
    ("Старший менеджер по работе с клиентами", "Старшему менеджеру по работе с клиентами"),
    # of two parts
    ("Бухгалтер-кассир", "Бухгалтеру-кассиру"),
    ("Технолог-конструктор мебели", "Технологу-конструктору мебели"),
    ("Ведущий инженер-конструктор", "Ведущему инженеру-конструктору"),
    ("Водитель-экспедитор", "Водителю-экспедитору"),
    ("Пресс-секретарь", "Пресс-секретарю"),
    ("Веб-дизайнер", "Веб-дизайнеру"),
    # adjectives that are people, and those that aren't
    ("Ответственный", "Ответственному"),
    ("прежний ответственный", "прежнему ответственному"),
    ("Ответственный за отгрузку", "Ответственному за отгрузку"),
    ("Заведующий складом", "Заведующему складом"),
    ("Заведующая производством", "Заведующей производством"),
    ("Старшая смены", "Старшей смены"),
    ("Дежурный", "Дежурному"),
    ("Рабочий цеха", "Рабочему цеха"),
    ("Рабочий склад", "Рабочему складу"),
    ("Управляющий директор", "Управляющему директору"),
    # not one man
    ("Швея", "Швее"),
    ("Кладовщица", "Кладовщице"),
    ("Отдел продаж", "Отделу продаж"),
    ("Бухгалтерия", "Бухгалтерии"),
    ("Сборщики мебели", "Сборщикам мебели"),
    ("Снабжение", "Снабжению"),
    ("автор", "автору"),
    ("заказчик", "заказчику"),
    ("снабженец", "снабженцу"),
    ("БУХГАЛТЕР", "БУХГАЛТЕРУ"),
    ("Мастер по дверям и окнам", "Мастеру по дверям и окнам"),
    ("Начальник цеха и склада", "Начальнику цеха и склада"),
]
UNSURE = [
    "Chief technologist",
    "ОТК",
    "СТО",
    "CAD-инженер",
    "Дизайнер и менеджер",
    "Менеджер/дизайнер",
    "Менеджер, дизайнер",
    "И.о. директора",
    "Зам. директора",
    "Продакт",
    "Менеджер — опт",
    "Два менеджера",
    "Технологу",
    "мЕнеджер",
    "Ольга Belova",
    "Лейсан Хасанова",
    "Ким",
    "Лев Столяр",
    " Менеджер",
    "Менеджер ",
    "",
    " ",
    "-",
    "—",
    "!",
    "😀",
    "а" * 5000,
    "Менеджер " * 50,
]
NAMES = [
    ("Ольга Белова", "Ольге Беловой", "Ольгу Белову"),
    ("Сергей Мельников", "Сергею Мельникову", "Сергея Мельникова"),
    ("Белова Ольга Петровна", "Беловой Ольге Петровне", "Белову Ольгу Петровну"),
    ("Мельников Сергей Анатольевич", "Мельникову Сергею Анатольевичу", "Мельникова Сергея Анатольевича"),
    ("Марина Лисицына", "Марине Лисицыной", "Марину Лисицыну"),
    ("Виктор Новосельцев", "Виктору Новосельцеву", "Виктора Новосельцева"),
    ("Тамара Гусева", "Тамаре Гусевой", "Тамару Гусеву"),
    ("Павел Лебедев", "Павлу Лебедеву", "Павла Лебедева"),
    # a surname is a man's or a woman's
    ("Ирина Ким", "Ирине Ким", "Ирину Ким"),
    ("Виктор Ким", "Виктору Киму", "Виктора Кима"),
    ("Юрий Цой", "Юрию Цою", "Юрия Цоя"),
    ("Анна-Мария Шмидт", "Анне-Марии Шмидт", "Анну-Марию Шмидт"),
    ("Илья Черных", "Илье Черных", "Илью Черных"),
    ("Саша Шевченко", "Саше Шевченко", "Сашу Шевченко"),
    ("Лев Толстой", "Льву Толстому", "Льва Толстого"),
    ("Любовь Петрова", "Любови Петровой", "Любовь Петрову"),
    ("Никита Хабибуллин", "Никите Хабибуллину", "Никиту Хабибуллина"),
    ("Римский-Корсаков Николай", "Римскому-Корсакову Николаю", "Римского-Корсакова Николая"),
    # messages as they were typed
    ("Королева Дарья", "Королевой Дарье", "Королеву Дарью"),
    ("Королёва Дарья", "Королёвой Дарье", "Королёву Дарью"),
    ("Белова О. П.", "Беловой О. П.", "Белову О. П."),
    ("Пётр Семёнов", "Петру Семёнову", "Петра Семёнова"),
    ("Ольга", "Ольге", "Ольгу"),
]


@pytest.mark.parametrize(("phrase", "to_whom"), TRADES)
def test_a_trade_declines_up_to_its_noun(phrase: str, to_whom: str) -> None:
    assert dative(phrase) == to_whom


@pytest.mark.parametrize("phrase", UNSURE)
def test_what_is_not_sure_stays_as_it_was_typed(phrase: str) -> None:
    assert dative(phrase) == phrase


@pytest.mark.parametrize(("name", "to_whom", "whom"), NAMES)
def test_a_name_declines_as_a_whole(name: str, to_whom: str, whom: str) -> None:
    assert (dative(name), accusative(name)) == (to_whom, whom)
    assert (declined_name(name, DATIVE), declined_name(name, ACCUSATIVE)) == (to_whom, whom)


@pytest.mark.parametrize("name", ["Лев Столяр", "Главный технолог", "Менеджер", "Sergei Melnikov", "Иван Belov", "иван белов", "Маша и Я"])
def test_a_person_is_never_taken_for_a_trade(name: str) -> None:
    assert declined_name(name, DATIVE) == name


@pytest.mark.parametrize(
    ("phrase", "of", "what"),
    [
        ("заказ покупателя", "заказа покупателя", "заказ покупателя"),
        ("заказ на производство", "заказа на производство", "заказ на производство"),
        ("заявка на ремонт", "заявки на ремонт", "заявку на ремонт"),
        ("заказ-наряд", "заказ-наряда", "заказ-наряд"),
        ("дата отгрузки", "даты отгрузки", "дату отгрузки"),
        ("главный технолог", "главного технолога", "главного технолога"),
        ("новый цех", "нового цеха", "новый цех"),
        ("счёт", "счёта", "счёт"),
        ("изделие", "изделия", "изделие"),
    ],
)
def test_documents_and_dates_in_other_cases(phrase: str, of: str, what: str) -> None:
    assert (genitive(phrase), accusative(phrase)) == (of, what)


@pytest.mark.parametrize(
    ("phrase", "words"),
    [
        ("ответственный", "не указан"),
        ("сумма", "не указана"),
        ("дата отгрузки", "не указана"),
        ("изделие", "не указано"),
        ("метки", "не указаны"),
        ("число связанных заказов", "не указано"),
        ("главный технолог", "не указан"),
        ("CAD-инженер", "не указан"),
        ("", "не указан"),
    ],
)
def test_a_participle_agrees_with_what_it_is_about(phrase: str, words: str) -> None:
    assert agreeing("не указан", phrase) == words


MESSAGES = st.text(st.sampled_from("абвгеёийнорстьюяАБЕЁИМНОСЯ-–—. '\"«»/,()1aZ\u00a0\t\n\u0301😀"), max_size=40)
WORDS = st.sampled_from([*(one[0] for one in TRADES), *(one[0] for one in NAMES), *UNSURE[:20], "и", "по", "ООО", "-", "ё", "Ё-Ё"])
PHRASES = MESSAGES | st.text(max_size=40) | st.lists(WORDS, max_size=4).map(" ".join) | st.lists(WORDS, max_size=3).map("-".join)


@given(PHRASES, st.sampled_from([GENITIVE, DATIVE, ACCUSATIVE]))
def test_nothing_that_is_typed_breaks_it_or_gets_lost(phrase: str, case: str) -> None:
    for form in (declined(phrase, case), declined_name(phrase, case)):
        assert bool(form) == bool(phrase)
        assert len(form.split()) == len(phrase.split()) and form[:1].isupper() == phrase[:1].isupper()
    assert agreeing("не указан", phrase).startswith("не указан")


def test_the_dictionary_is_read_only_when_it_is_needed() -> None:
    code = (
        "import sys, kanban.words.declension as d; a = 'pymorphy3' in sys.modules; d.dative('автор'); print(a, 'pymorphy3' in sys.modules)"
    )
    made = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True)
    assert made.stdout.split() == ["False", "True"]
