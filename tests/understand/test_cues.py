"""From marked wishes to lines of a blueprint."""

from __future__ import annotations

import pytest

from clodo.blueprint import parse
from clodo.blueprint.text import format_blueprint
from clodo.corpus.format import Record
from clodo.corpus.format import parse as parse_record
from clodo.corpus.gold import gold_draft
from clodo.understand import file_rules, sites
from clodo.understand.compiler import compile_draft
from clodo.understand.cue_labels import CUES
from clodo.understand.cue_lines import _WRITERS
from clodo.understand.periods import period_of
from clodo.understand.verbs import base_form, participle


def record_of(text: str, *facts: str) -> Record:
    """The record of a marked text."""
    return parse_record("\n".join(["=== t-1 | style=terse | domain=test", text, "---", *facts]))


def built(text: str, *facts: str) -> tuple[list[str], list[str]]:
    """The lines of the blueprint of a marked text, and the words that nothing was made of."""
    record = record_of(text, *facts)
    blueprint, left = compile_draft(gold_draft(record))
    assert blueprint is not None
    written = format_blueprint(blueprint)
    assert parse(written) == blueprint
    return [line.strip() for line in written.splitlines()], [record.text[a:b] for a, b in left]


ROOM = "[rooms|room] ([name|room.], [seats|room. int]), [bookings|booking] ([guest|booking.], [start|booking. dt], [end|booking. dt], [people|booking. int], [status|booking. enum] [held|booking.status =enumdef], [sure|booking.status =enum], [off|booking.status =enum]). "
ORDER = "[orders|order] ([number|order.], [quantity|order. int], [price|order. money], [total|order. money], [status|order. enum] [new|order.status =enum], [paid|order.status =enum], [sent|order.status =enum], [cancelled|order.status =enum], [due|order. date], [sent on|order. date]) of a [customer|customer] ([name|customer.], [city|customer.], [spent|customer. money], [vip|customer. bool]). "
NOTE = "[Notes|note] ([title|note. !], [text|note. long], [mood|note. enum]: [good|note.mood =enum] or [bad|note.mood =enum]), "
CASES = [
    (ROOM + "No [two at once|@overlap of=booking per=room unless=booking.status:off]", ["booking > room"], 'no overlap (start, end) per room where status != "off"'),
    (ROOM + "[at most|@at-most of=booking per=booking.guest n=#two when=booking.status:held] [two|#]", ["booking > room"], 'at most 2 per guest where status = "held"'),
    (ROOM + "as many as [seats|room.], [not more|@at-most of=booking per=room n=room.seats unless=booking.status:off]", ["booking > room"], 'check count(booking where room = this.room and status != "off") <= room.seats'),
    (ROOM + "and not [more|@at-most of=booking per=room per=booking.guest n=room.seats] than [seats|room.]", ["booking > room"], "check count(booking where room = this.room and guest = this.guest) <= room.seats"),
    (ROOM + "[end|booking.] [after|@above from=booking.end to=booking.start] [start|booking.]", ["booking > room"], "check end > start"),
    (ROOM + "[people|booking.] never [exceed|@at-least from=room.seats to=booking.people] [seats|room.]", ["booking > room"], "check room.seats >= people"),
    (ORDER + "steps", ["order > customer", "next order.status new > paid > sent", "next order.status new > cancelled"], "transitions status: new -> paid -> sent, new -> cancelled"),
    ("[jobs|job] ([name|job.], [stage|job. enum]: [done|job.stage =enum], [busy|job.stage =enum], [open|job.stage =enum])", ["next job.stage open > busy > done"], "transitions stage: open -> busy -> done"),
    ("[clinics|clinic] ([name|clinic.]), [visits|visit] ([day|visit. date]), [kept apart|@tenants of=clinic], with a [log of changes|@audit of=visit]", ["visit > clinic"], "audit read user"),
    (ORDER + "can be [cancelled|@action of=order unless=order.status:sent set=order.status:cancelled]", ["order > customer"], "action cancel {"),
    (ORDER + "[sending|@action of=order when=order.status:paid set=order.status:sent to=order.sent_on by=role:clerk] by [clerks|ROLE:clerk]", ["order > customer"], 'set status = "sent", sent_on = today'),
    (ORDER + "[cancelled|@action of=order set=order.status:cancelled from=order.due n=#two per=#days] until [two|#] [days|#] before", ["order > customer"], "when today < due - days(2)"),
    (ORDER + "[approved|@action of=order over=order.price n=#500 set=order.status:paid] over [500|#]", ["order > customer"], "when price > 500"),
    (ORDER + "[place an order|@action of=customer makes=order unset=customer.vip]", ["order > customer"], "create order (customer = this)"),
    (ROOM.replace("guest|booking.", "guest|booking. !") + "[hold it|@action of=room makes=booking]", ["booking > room"], "action hold_it(guest: text required) {"),
    (ORDER + "[lapses|@action of=customer unset=customer.vip]", ["order > customer"], "set vip = false"),
    (ORDER + "[mail us|@notify of=order below=order.quantity n=#5 n=#shop@example.com] at [shop@example.com|#] under [5|#]", ["order > customer"], 'notify "shop@example.com" when quantity < 5'),
    (ORDER + "[tell|@notify of=order by=role:creator when=order.status:paid] its [creator|ROLE:creator]", ["order > customer", "access login", "own order"], 'notify owner when status = "paid"'),
    (ORDER + "[tell|@notify of=order] the boss of each", ["order > customer"], "notify admin on created"),
    (ORDER + "[no more than|@at-most of=order per=customer per=#week n=#3] [3|#] a [week|#]", ["order > customer"], "at most 3 per customer per week of due"),
    (ORDER + "[limit|@at-most of=customer per=#day n=#20] [20|#] new ones a [day|#]", ["order > customer"], "at most 20 per day of created_at"),
    (ORDER + "a [user|ROLE:user] orders for a customer [once|@at-most of=order per=customer per=role:user]", ["order > customer"], "at most 1 per customer, owner"),
    (ORDER + "each [clerk|ROLE:clerk] [up to|@at-most of=order per=role:clerk per=#day n=#9] [9|#] a [day|#]", ["order > customer"], "at most 9 per owner per day of due"),
    (ROOM + "No two sure ones [at once|@overlap of=booking per=room when=booking.status:sure]", ["booking > room"], 'no overlap (start, end) per room where status = "sure"'),
    (NOTE + "search in [plain words|@ask of=note]", [], "assistant search"),
    (NOTE + "[sum up|@summary of=note from=note.text] the [text|note.]", [], "assistant summary of text"),
    (NOTE + "with a [TL;DR|@summary of=note] of each", [], "assistant summary of text"),
    (NOTE + "[sorted|@classify of=note from=note.title set=note.mood] by [title|note.]", [], "assistant classify title as mood"),
    (NOTE + "[triaged|@classify of=note] by a model", [], "assistant classify text as mood"),
    (ROOM + "[no two|@at-most of=booking per=room per=booking.guest] of a guest", ["booking > room"], "unique (room, guest)"),
    (ROOM + "[no two|@at-most of=booking per=room per=booking.guest when=booking.status:sure] sure ones", ["booking > room"], 'at most 1 per room, guest where status = "sure"'),
    (ORDER + "[approved|@action of=order over=order.price n=#500 set=order.status:paid] with at least [500|#]", ["order > customer"], "when price >= 500"),
    (ORDER + "[mail us|@notify of=order below=order.quantity n=#5 n=#shop@example.com] at [shop@example.com|#] when [5|#] or fewer are left", ["order > customer"], 'notify "shop@example.com" when quantity <= 5'),
    (ORDER + "[count|@count of=order over=order.price n=#100] from [100|#] up", ["order > customer"], "from order where price >= 100"),
    (ORDER + "[count|@count of=order over=order.price n=#100] unless at least [100|#]", ["order > customer"], "from order where price > 100"),
    (ORDER + "[mail us|@notify of=order below=order.quantity over=order.price] once quantity is under price", ["order > customer"], "notify admin when quantity < price"),
    (ORDER + "[remind us|@notify of=order from=order.due n=#48 per=#hours] [48|#] [hours|#] before", ["order > customer"], "remind admin 2 days before due"),
    (ORDER + "[remind us|@notify of=order from=order.due n=#a per=#month] [a|#] [month|#] before", ["order > customer"], "remind admin 30 days before due"),
    ("[shifts|shift] ([starts at|shift. dt]), [helpers|helper] ([e-mail|helper.email email]). [tell|@notify of=helper to=helper.email from=shift.starts_at n=#2 per=#hours] them [2|#] [hours|#] before", ["helper > shift"], "remind email 2 hours before shift.starts_at"),
    (ORDER + "[takings|@sum of=order from=order.price when=order.status:paid unless=customer.vip per=#weks] by [weks|#]", ["order > customer"], "report total_price_paid_not_vip_by_week {"),
    (ORDER + "[count|@count of=order over=order.price n=#100] over [100|#]", ["order > customer"], "report number_of_orders_price_over_100 {"),
    (ORDER + "[told|@notify of=order to=user.email] the [users|user] with an [e-mail|user. email]", ["order > customer", "access login", "own order"], "notify owner on created"),
    (ORDER + "[told|@notify of=order to=user.email] the [users|user] with an [e-mail|user. email]", ["order > customer", "order > user", "access login"], "notify user.email on created"),
    (ORDER + "[tell|@notify of=order by=role:owner] the [owner|ROLE:owner]", ["order > customer"], "notify admin on created"),
    (ORDER + "[remind us|@notify of=order from=order.due n=#18 per=#hours] [18|#] [hours|#] before", ["order > customer"], "remind admin 1 day before due"),
    ("[expenses|expense] ([amount|expense. money], [category|expense.], [day|expense. date]): [monthly|#] [totals|@sum per=#monthly per=expense.category] by [category|expense.]", [], "report total_amount_by_month_and_category {"),
    (ORDER + "[averages|@average of=customer] of them", ["order > customer"], "show avg(spent)"),
    (ORDER + "can be [archived|@action of=order]", ["order > customer"], "archived: boolean default false"),
    (ORDER + "can be [Cancelled|@action of=order]", ["order > customer"], 'set status = "cancelled"'),
    (ORDER + "[Every|@every of=customer unset=customer.vip per=#night] [night|#] it ends", ["order > customer"], "update customer set vip = false where vip"),
    ("[accounts|account] ([name|account.], [paid in|account. money], [paid out|account. money], [balance|account. money]), [deposits|deposit] ([sum|deposit. money]), [payments|payment] ([cost|payment. money]): [a|@total-of set=account.paid_in of=deposit from=deposit.sum], [b|@total-of set=account.paid_out of=payment from=payment.cost], [minus|@less set=account.balance from=account.paid_in to=account.paid_out]", ["deposit > account", "payment > account"], "balance: money = sum(deposit.sum where account = this) - sum(payment.cost where account = this)"),
    ("[jobs|job] ([hours|job. dec], [rate|job. dec], [both|job. dec], [wage|job. dec], [rest|job. dec]): [x|@added set=job.both from=job.hours from=job.rate], [y|@times set=job.wage from=job.both from=job.rate], [z|@less set=job.rest from=job.wage to=job.both]", [], "rest: decimal = rate * (hours + rate) - (hours + rate)"),
    ("[payments|payment] ([amount|payment. money], [tenant|payment. ?]) of [tenants|tenant] ([name|tenant.])", [], "tenant: -> tenant"),
    (ORDER + "[promote|@action of=order set=customer.vip set=order.status:paid] the customer", ["order > customer"], 'set customer.vip = true, status = "paid"'),
    (ORDER + "can only be [edited|@action of=order when=order.status:paid] while [paid|order.status =enum]", ["order > customer"], 'change when status = "paid"'),
    (ORDER + "can't be [changed or deleted|@action of=order unless=order.status:sent] once [sent|order.status =enum]", ["order > customer"], 'delete when status != "sent"'),
    (ORDER + "is [locked|@action of=order when=order.sent_on] once it has [sent on|order.]", ["order > customer"], "change when sent_on is empty"),
    (ORDER + "[frozen|@action of=order when=order.status:sent when=order.status:paid] as [sent|order.status =enum] or [paid|order.status =enum]", ["order > customer"], 'delete when not status in ("sent", "paid")'),
    (ORDER + "[amend|@action of=order from=order.due n=#two per=#days] it until [two|#] [days|#] before", ["order > customer"], "change when today < due - days(2)"),
    # What is done besides is a step all the same.
    (ORDER + "[updating|@action of=order set=order.status:paid] it makes it [paid|order.status =enum]", ["order > customer"], "action update {"),
    (ORDER + "[take|@action of=order minus=order.quantity n=#5] [5|#] off", ["order > customer"], "set quantity = quantity - 5"),
    (ORDER + "[add|@action of=order plus=order.price n=order.quantity] the quantity to it", ["order > customer"], "set price = price + quantity"),
    (ORDER + "[turnover|@sum of=order from=order.price per=#daily per=#day] by [day|#], [daily|#]", ["order > customer"], "group by day(due) as day"),
    (ORDER + "[turnover|@sum of=order from=order.price per=#quarter] by [quarter|#]", ["order > customer"], "group by quarter(due) as quarter"),
    (ORDER + "[remind me|@notify of=order from=order.due n=#two per=#days unless=order.status:sent] [two|#] [days|#] before", ["order > customer"], 'remind admin 2 days before due when status != "sent"'),
    (ORDER + "[a mail|@notify of=order over=order.due n=#1 per=#week n=#boss@shop.example] to [boss@shop.example|#] [1|#] [week|#] later", ["order > customer"], 'remind "boss@shop.example" 1 week after due'),
    (ORDER + "[tell us|@notify of=order from=order.due per=#day] on the [day|#]", ["order > customer"], "remind admin 0 days before due"),
    (ORDER + "[told|@notify of=order from=order.due when=order.status:paid] when it is over", ["order > customer"], 'remind admin 1 day after due when status = "paid"'),
    (ORDER + "[how many|@count of=order over=order.price n=#100] over [100|#]", ["order > customer"], "from order where price > 100"),
    (ORDER + "[total|order.] = [quantity|order.] [times|@times set=order.total from=order.quantity from=order.price] [price|order.]", ["order > customer"], "total: money = quantity * price"),
    (ORDER + "[spent|customer.] is the [sum|@total-of set=customer.spent of=order from=order.price unless=order.status:cancelled]", ["order > customer"], 'spent: money = sum(order.price where customer = this and status != "cancelled")'),
    (ORDER + "[turnover|@sum of=order from=order.price per=#month per=customer.city when=order.status:paid] by [month|#]", ["order > customer"], "group by month(due) as month, customer.city as city"),
    (ORDER + "[how many|@count of=order per=customer]", ["order > customer"], "report number_of_orders_by_customer {"),
    (ORDER + "[nightly|@every of=order set=order.status:cancelled when=order.status:new from=order.due]", ["order > customer"], 'update order set status = "cancelled" where status = "new" and due < today and status != "cancelled"'),
    (ORDER + "[purge|@expire of=order n=#2 per=#years] after [2|#] [years|#]", ["order > customer"], "delete order where created_at < now - years(2)"),
    (ORDER + "[CSV|@export of=customer]", ["order > customer"], "export csv"),
    (ORDER + "[undo|@restore of=customer]", ["order > customer"], "soft delete"),
    (ORDER + "[60|#] calls a [minute|#] [limit|@limit-address n=#60 per=#minute]", ["order > customer"], "limit 60 per minute per address"),
    (ORDER + "[tell us|@webhook-created of=order]", ["order > customer"], "webhook created_events on order created"),
    (ORDER + "[stay in|@sessions n=#2 per=#weeks] for [2|#] [weeks|#]", ["order > customer"], "sessions 14 days"),
    (ORDER + "[from|@cors n=#app.example.com] [app.example.com|#]", ["order > customer"], 'cors "https://app.example.com"'),
    (ORDER + "clerks can [archive|@action of=customer] old ones", ["order > customer"], "set archived = true"),
    (ORDER + "somebody [ships|@action of=order when=order.status:paid] what is paid", ["order > customer"], "set shipped = true"),
    ("[photos|photo] with a [caption|photo.]", [], "image: image max 10 MB"),
    (ORDER + "a [logo|customer. image] of up to [2|customer.logo =max] MB", ["order > customer"], "logo: image max 2 MB"),
    (ORDER + "[vip|customer.]s [counted|@count of=customer when=customer.vip]", ["order > customer"], "from customer where vip"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "facts", "line"), CASES, ids=lambda x: x if isinstance(x, str) and "[" not in x else "")
def test_a_wish_becomes_a_line(text: str, facts: list[str], line: str) -> None:
    lines, left = built(text, *facts)
    assert line in lines
    assert left == []


#: Steps and files: the text, facts, lines that it comes to, words of lines that it must not, and what is left over.
THEIRS = "[cancelled|@action of=order set=order.status:cancelled from=order.due by=role:owner] by its [owner|ROLE:owner] until it is [due|order.]"
ONLY = "only the [creator|ROLE:creator] of an [order|order] may [send|@action of=order set=order.status:sent by=role:creator] it"
OWNERS = "the [owner|ROLE:owner] may [send|@action of=order set=order.status:sent by=role:owner] it"
STEPS: list[tuple[str, list[str], list[str], str, list[str]]] = [
    (THEIRS, [], ["write owner", "by owner", "when today < due"], "roles", []),
    (ONLY, [], ["write owner", "by owner", 'set status = "sent"'], "roles", []),
    (ONLY, ["access login"], ["write owner", "by owner"], "roles", []),
    (ONLY, ["own order"], ["read owner", "write owner", "by owner"], "roles", []),
    ("the [order|order]'s [sender|ROLE:sender] [stops|@action of=order set=order.status:cancelled by=role:sender] it", [], ["by owner"], "roles", []),
    ("its [author|ROLE:author] or a [clerk|ROLE:clerk] [sends|@action of=order set=order.status:sent by=role:author by=role:clerk] it", [], ["roles clerk", "by owner or role clerk"], "author", []),
    # Roles with rights of their own, and those of whom the text does not say that the row is theirs, stay roles.
    ("[tutors|ROLE:tutor] [send|@action of=order set=order.status:sent by=role:tutor] it", ["write order role:tutor"], ["by role tutor"], "by owner", []),
    ("its [author|ROLE:author] [sends|@action of=order set=order.status:sent by=role:author] it", ["write order role:author"], ["by role author"], "by owner", []),
    ("its [author|ROLE:author] [sends|@action of=order set=order.status:sent by=role:author] it", ["write customer role:author"], ["by role author"], "by owner", []),
    ("[authors|ROLE:author] [send|@action of=order set=order.status:sent by=role:author] it", [], ["by role author"], "by owner", []),
    (OWNERS, [], ["by role owner"], "by owner", []),
    ("the [owner|ROLE:owner] of the shop may [send|@action of=order set=order.status:sent by=role:owner] it", [], ["by role owner"], "by owner", []),
    (OWNERS, ["own-write order"], ["by owner"], "roles", []),
    ("its [reporter|ROLE:reporter] [sends|@action of=order set=order.status:sent by=role:reporter] it. [Reporters|ROLE:reporter] [open|@action of=order by=role:reporter] [orders|order]", ["write order role:clerk"], ["by role reporter"], "by owner", []),
    ("[sent|@action of=order set=order.status:sent by=role:owner]: role [owner|ROLE:owner]", ["own order"], ["by role owner"], "by owner", []),
    # People of whom the text says that the rows are theirs are whoever made them; others who take a step with rows that are private see them.
    ("[Buyers|ROLE:buyer] see only their own [orders|order], and a [buyer|ROLE:buyer] can [stop|@action of=order set=order.status:cancelled by=role:buyer] one", ["own order"], ["read owner", "by owner"], "roles", []),
    ("as a [buyer|ROLE:buyer], I see my [orders|order]. [Buyers|ROLE:buyer] can [stop|@action of=order set=order.status:cancelled by=role:buyer] one", ["own-write order"], ["write owner", "by owner"], "roles", []),
    ("the [shop buyer|ROLE:shop_buyer] [stops|@action of=order set=order.status:cancelled by=role:shop_buyer] it; all shop buyers keep their orders to themselves", ["own order"], ["by owner"], "roles", []),
    ("the [shop buyer|ROLE:shop_buyer] [stops|@action of=order set=order.status:cancelled by=role:shop_buyer] it; all bar buyers keep their orders to themselves", ["own order"], ["by role shop_buyer"], "by owner", []),
    ("[Buyers|ROLE:buyer] see only their own [orders|order], and a [buyer|ROLE:buyer] can [stop|@action of=order set=order.status:cancelled by=role:buyer] one", [], ["by role buyer"], "by owner", []),
    ("[Buyers|ROLE:buyer] have their own shelves; a [buyer|ROLE:buyer] can [stop|@action of=order set=order.status:cancelled by=role:buyer] [orders|order]", ["own order"], ["read owner or role buyer", "write owner", "by role buyer"], "by owner", []),
    ("[tutors|ROLE:tutor] [send|@action of=order set=order.status:sent by=role:tutor] it", ["own order"], ["read owner or role tutor", "write owner", "by role tutor"], "by owner", []),
    ("[tutors|ROLE:tutor] [send|@action of=order set=order.status:sent by=role:tutor] it", ["own-write order"], ["write owner", "by role tutor"], "read", []),
    ("[users|ROLE:user] [send|@action of=order set=order.status:sent by=role:user] it", ["own order"], ["read owner", "write owner"], "roles", []),
    # Whose rows nobody owns has no owner to take a step.
    (ONLY, ["access key"], [], "action", ["send"]),
    (ONLY, ["write order login"], [], "action", ["send"]),
    # Whoever alone writes rows changes them as long as a lock says.
    ("its [author|ROLE:author] may [edit|@action of=order when=order.status:new by=role:author] it while [new|order.status =enum]", [], ["write owner", 'change when status = "new"'], "roles", []),
    # A number beside no field is compared with the only figure, and which way the words around it say.
    ("[approve|@action of=order set=order.status:paid n=#500] those over [500|#]", [], [], "when", ["approve"]),
    ("over [9|#] [take|@action of=order over=order.price minus=order.quantity from=order.due n=#9 n=#3 n=#2 per=#days] [3|#] off until [2|#] [days|#] before", [], ["when price > 9", "when today < due - days(2)", "set quantity = quantity - 3"], "roles", []),
    ("they [edit|@action of=order when=order.status:new n=#9] up to [9|#] while [new|order.status =enum]", [], [], "change", ["edit"]),
    ("[exported|@export of=order] as CSV and NDJSON", [], ["export csv, ndjson"], "roles", []),
    ("[exported|@export of=order] as [CSV|@export of=order] and as [NDJSON|@export of=order]", [], ["export csv, ndjson"], "roles", []),
    ("[NDJSON|@export of=order] and CSV, [load|@import of=order] them: CSV", [], ["export csv, ndjson", "import csv"], "ndjson, csv", []),
    ("as JSON Lines or Excel [export|@export of=order], and [from CSV|@import of=order]. NDJSON is fine", [], ["export csv, ndjson", "import csv"], "roles", []),
]  # fmt: skip


@pytest.mark.parametrize(("said", "facts", "wanted", "never", "over"), STEPS)
def test_who_takes_a_step_what_its_numbers_are_for_and_which_files_go_out(said: str, facts: list[str], wanted: list[str], never: str, over: list[str]) -> None:
    lines, left = built(ORDER + said, "order > customer", *facts)
    assert [line for line in wanted if line not in lines] == []
    assert not any(line.startswith(never) or never in line.split() for line in lines)
    assert left == over


@pytest.mark.parametrize(
    ("said", "wanted"),
    [("over [500|#]", "price > 500"), ("[over 500|#]", "price > 500"), ("at least € [500|#]", "price >= 500"), ("[500|#] or more", "price >= 500"), ("up to [five hundred|#]", "price <= 500"),
     ("less than [500|#]", "price < 500"), ("no more than [500|#]", "price <= 500"), ("[500|#] euros or more", "price >= 500"), ("[500|#] of them or fewer", "price <= 500"), ("at or below [500|#]", "price <= 500"), ("at or above [500|#]", "price >= 500"),
     ("[500|#] of them at most", "price <= 500"), ("[500|#] at the least", "price >= 500"), ("[500|#] at most 9 times", ""), ("[500|#] times", ""), ("that are not over [500|#]", ""), ("unless over [500|#]", "")],
)  # fmt: skip
def test_a_number_of_a_step_is_compared_as_the_words_around_it_say(said: str, wanted: str) -> None:
    figure = said[said.index("[") + 1 : said.index("|")]
    text = f"[Claims|claim] ([reason|claim.], [price|claim. money]). We [approve|@action of=claim n=#{figure}] those {said}."
    lines, left = built(text)
    assert [line.removeprefix("when ") for line in lines if line.startswith("when ")] == ([wanted] if wanted else [])
    assert left == ([] if wanted else ["approve"])


#: When orders past their due date are cancelled: the words of it, what they are marked with, and the times; none where the language has none.
TIMES: list[tuple[str, str, list[str]]] = [
    ("[every|@] [night|#] at [2 am|#]", "per=#night per=#2 am", ['day at "02:00"']),
    ("[every|@] [day|#] at [7:00|#]", "per=#day per=#7:00", ['day at "07:00"']),
    ("[every|@] [evening|#], [7.30|#]", "per=#evening per=#7.30", ['day at "19:30"']),
    ("[daily|@] at [19.30|#]", "per=#19.30", ['day at "19:30"']),
    ("[each|@] [night|#] at [11|#]", "per=#night per=#11", ['day at "23:00"']),
    ("[each|@] [noon|#] and [midnight|#]", "per=#noon per=#midnight", ['day at "00:00"', 'day at "12:00"']),
    ("[At 6 am|@] turn", "", ['day at "06:00"']),
    ("[every|@] [day|#] [at 5 pm|#]", "per=#day per=#at 5 pm", ['day at "17:00"']),
    ("[Every day at 10 p.m.|@]", "", ['day at "22:00"']),
    ("on the [first day of the month|#], [each|@]", "per=#first day of the month", ['month at "03:00"']),
    ("on the [last day of the month|#], [each|@]", "per=#last day of the month", []),
    ("on the [first Monday of the month|#], [each|@]", "per=#first Monday of the month", []),
    ("[every|@] [night except Sunday|#]", "per=#night except Sunday", []),
    ("[each|@] [morning|#]", "per=#morning", ['day at "06:00"']),
    ("[nightly|@]", "", ['day at "03:00"']),
    ("[overnight|@]", "", ['day at "03:00"']),
    ("[twice a day|@]", "", []),
    ("[every|@] [Monday|#] and [Thursday|#]", "per=#Monday per=#Thursday", ['monday at "03:00"', 'thursday at "03:00"']),
    ("[every|@] [weekend|#] at [two am|#]", "per=#weekend per=#two am", ['saturday at "02:00"', 'sunday at "02:00"']),
    ("[monthly|@] on the [1st|#]", "per=#1st", ['month at "03:00"']),
    ("[every|@] [15 minutes|#]", "per=#15 minutes", ["15 minutes"]),
    ("[every|@] [ten|#] [minutes|#]", "per=#ten per=#minutes", ["10 minutes"]),
    ("[every|@] [half hour|#]", "per=#half hour", ["30 minutes"]),
    ("[hourly|@]", "", ["hour"]),
    ("[every|@] [2 hours|#]", "per=#2 hours", []),
    ("[every|@] [7 minutes|#]", "per=#7 minutes", []),
    ("[every|@] [two|#] [days|#]", "per=#two per=#days", []),
    ("[monthly|@] on the [15th|#]", "per=#15th", []),
    ("[every|@] [day|#] at [25:00|#]", "per=#day per=#25:00", []),
    ("[every|@] [day|#] at [2 am CET|#]", "per=#day per=#2 am CET", []),
    ("[every|@] [fortnight|#]", "per=#fortnight", []),
    ("[every|@] [payday|#]", "per=#payday", []),
]  # fmt: skip


def timed(said: str, slots: str) -> str:
    """The marked text of a wish that orders are cancelled at these times."""
    return ORDER + said.replace("@", f"@every of=order set=order.status:cancelled from=order.due {slots}".rstrip())


@pytest.mark.parametrize(("said", "slots", "wanted"), TIMES)
def test_work_is_done_at_the_time_that_the_text_marks_or_not_at_all(said: str, slots: str, wanted: list[str]) -> None:
    lines, left = built(timed(said, slots), "order > customer")
    assert [line.removeprefix("every ").removesuffix(" {") for line in lines if line.startswith("every ")] == wanted
    assert len(left) == (not wanted)


#: Who deletes orders: the text that says it, facts, the lines that begin with ``delete``, and what is left over.
ADMINS, BOSSES = "only [admins|ROLE:admin] may [delete|@action of=order by=role:admin] [orders|order]", "only a [boss|ROLE:boss] [removes|@action of=order by=role:boss] [orders|order]"
MAKER = "[deletable|@action of=order by=role:author by=role:boss] for the [author|ROLE:author] and a [boss|ROLE:boss]"
DELETERS: list[tuple[str, list[str], list[str], list[str]]] = [
    (ADMINS, [], ["delete role admin"], []),
    (ADMINS, ["access login"], ["delete role admin"], []),
    (ADMINS, ["access key-write"], ["delete role admin"], []),
    (ADMINS, ["own-write order"], ["delete role admin"], []),
    (BOSSES, ["write order role:clerk"], ["delete role boss"], []),
    (BOSSES, ["access login", "read order role:clerk", "read order role:boss"], ["delete role boss"], []),
    ("[admins|ROLE:admin] and [bosses|ROLE:boss] [delete|@action of=order by=role:admin by=role:boss]", [], ["delete role admin, boss"], []),
    (ADMINS + ". [Bosses|ROLE:boss] [delete|@action of=order by=role:boss] too", [], ["delete role admin, boss"], []),
    ("[deletion|@action of=order of=customer by=role:boss] by [bosses|ROLE:boss]", [], ["delete role boss", "delete role boss"], []),
    ("its [author|ROLE:author] can [erase|@action of=order by=role:author] it", ["access login"], ["delete owner"], []),
    ("its [author|ROLE:author] can [erase|@action of=order by=role:author] it", [], ["delete owner"], []),
    (MAKER, ["own-write order"], ["delete owner or role boss"], []),
    (MAKER, ["own order", "read order role:boss"], ["delete owner or role boss"], []),
    # An author who has rights to all of them is a role.
    (MAKER, ["write order role:author"], ["delete role author, boss"], []),
    ("any [user|ROLE:user] may [delete|@action of=order by=role:user]", ["access login", "write order role:clerk"], ["delete user"], []),
    # Whoever may write may delete already.
    (BOSSES, ["write order role:boss"], [], []),
    (ADMINS + " [ones|order] ([bosses|ROLE:boss])", ["write order role:admin"], [], []),
    ("[admins|ROLE:admin], [bosses|ROLE:boss] [delete|@action of=order by=role:admin by=role:boss]", ["write order role:boss"], [], []),
    ("its [owner|ROLE:owner] [deletes|@action of=order by=role:owner] it", ["own order"], [], []),
    # Nobody deletes what nothing says they may see, or what nobody owns.
    (ADMINS, ["own order"], [], ["delete"]),
    (BOSSES, ["access login", "read order role:clerk"], [], ["removes"]),
    (MAKER, ["access key"], [], ["deletable"]),
    (MAKER, ["write order public", "write order role:clerk"], [], ["deletable"]),
    (MAKER + ", one [owner|order.owner ->customer] each", ["access login"], [], ["deletable"]),
    ("each [customer|customer] apart ([multi-tenant|@tenants of=customer]), [deleted|@action of=customer by=role:creator] by its [creator|ROLE:creator]", [], [], ["deleted"]),
    # Two that do not go together: the first.
    (ADMINS + ", [bosses|ROLE:boss] [remove|@action of=order by=role:boss] them", [], ["delete role admin"], ["remove"]),
    # With a condition it is a lock, or nothing that can be said; with an outcome a step.
    ("[deleted|@action of=order when=order.status:new] while [new|order.status =enum]", [], ['delete when status = "new"'], []),
    ("[deleted|@action of=order when=order.status:new by=role:boss] by [bosses|ROLE:boss] while [new|order.status =enum]", [], ["delete role boss", 'delete when status = "new"'], []),
    ("[bosses|ROLE:boss] [remove|@action of=order set=order.status:cancelled by=role:boss] them", [], [], []),
    ("[bosses|ROLE:boss] [edit or delete|@action of=order by=role:boss] them", [], [], ["edit or delete"]),
]  # fmt: skip


@pytest.mark.parametrize(("said", "facts", "wanted", "over"), DELETERS)
def test_who_alone_deletes_rows(said: str, facts: list[str], wanted: list[str], over: list[str]) -> None:
    lines, left = built(ORDER + said, "order > customer", *facts)
    assert [line for line in lines if line.startswith("delete ")] == wanted
    assert left == over


def test_whoever_deletes_a_row_of_their_own_is_no_role_and_logs_in_to_make_it() -> None:
    lines, _ = built(ORDER + "its [author|ROLE:author] can [erase|@action of=order by=role:author] it", "order > customer")
    assert "users {" in lines and "write user" in lines and not any(line.startswith("roles") for line in lines)
    assert "roles boss" in built(ORDER + MAKER, "order > customer")[0]


@pytest.mark.parametrize("said", ["[sum up|@summary of=shelf] each", "[triage|@classify of=shelf] by a model", "[sum up|@summary of=shelf from=shelf.height] each"])
def test_a_model_that_has_nothing_to_read_is_no_wish(said: str) -> None:
    lines, left = built("[shelves|shelf] ([height|shelf. int]), " + said)
    assert not any(line.startswith("assistant") for line in lines)
    assert len(left) == 1


def test_a_step_that_leads_to_where_it_starts_is_none() -> None:
    said = ORDER + "can be [sent|@action of=order when=order.status:paid when=order.status:sent set=order.status:Sent] once [paid|order.status =enum]"
    lines, left = built(said, "order > customer")
    assert left == ["sent"] and not any(line.startswith("action") for line in lines)


def test_steps_of_one_verb_are_told_apart_by_their_outcomes() -> None:
    said = "[mark as paid|@action of=order set=order.status:paid by=role:clerk] by the [clerk|ROLE:clerk], [marked as sent|@action of=order set=order.status:sent to=order.sent_on] and [mark as new|@action of=order unset=order.gone]"
    lines, left = built(ORDER.replace("[due|order. date]", "[gone|order. bool], [due|order. date]") + said, "order > customer")
    assert [line for line in lines if line.startswith("action")] == ["action mark_as_paid {", "action mark_as_sent {", "action mark_as_new {"]
    said = said.replace("mark as paid", "mark").replace("marked as sent", "marked").replace("mark as new", "mark")
    lines, left = built(ORDER.replace("[due|order. date]", "[gone|order. bool], [due|order. date]") + said, "order > customer")
    assert [line for line in lines if line.startswith("action")] == ["action mark_paid {", "action mark_sent {", "action mark_not_gone {"]
    assert left == []


def test_a_step_that_is_said_again_for_another_role_is_one_step() -> None:
    once = "[clerks|ROLE:clerk] [send|@action of=order when=order.status:paid set=order.status:sent by=role:clerk] it"
    again = ". [owners|ROLE:boss] [sending|@action of=order when=order.status:paid set=order.status:sent by=role:boss] it, too"
    lines, left = built(ORDER + once + again.replace("[owners|", "[bosses|"), "order > customer")
    assert [line for line in lines if line.startswith(("action", "by role"))] == ["action send {", "by role clerk, boss"] and left == []


@pytest.mark.parametrize(
    ("said", "facts"),
    [
        ("may be [edited|@action of=order by=role:clerk] by [clerks|ROLE:clerk]", []),
        ("may be [edited|@action of=order when=order.status:paid by=role:clerk] by [clerks|ROLE:clerk] when [paid|order.status =enum]", ["own-write order"]),
    ],
)
def test_a_lock_without_a_condition_or_with_a_role_that_may_not_write_is_left_over(said: str, facts: list[str]) -> None:
    lines, left = built(ORDER + said, "order > customer", *facts)
    assert left == ["edited"]
    assert not any(line.startswith(("change when", "action", "edited")) for line in lines)


@pytest.mark.parametrize("facts", [["order > customer"], ["order > customer", "write order role:clerk"]])
def test_what_whoever_may_write_does_with_rows_is_no_step(facts: list[str]) -> None:
    by = " by=role:clerk" if len(facts) > 1 else ""
    lines, left = built(ORDER + f"[Clerks|ROLE:clerk] [edit|@action of=order{by}] them", *facts)
    assert left == []
    assert not any(line.startswith(("change when", "action", "edited")) for line in lines)


@pytest.mark.parametrize(
    ("said", "line"),
    [("deletable", "delete when"), ("removable", "delete when"), ("deletion", "delete when"), ("amendable", "change when"), ("edit or removal", "change when"), ("correct", "change when"),
     ("drop", "delete when"), ("discarded", "delete when"), ("deletd", "delete when"), ("dleete", "delete when"), ("chnage", "change when")],
)  # fmt: skip
def test_verbs_of_locks_in_many_words(said: str, line: str) -> None:
    lines, left = built(ORDER + f"[{said}|@action of=order when=order.status:new] while [new|order.status =enum]", "order > customer")
    assert f'{line} status = "new"' in lines
    assert left == [] and not any(made.startswith("action") for made in lines)


def test_a_mild_word_of_a_lock_is_a_step_where_somebody_takes_it_or_a_state_is_called_so() -> None:
    by = "[clerks|ROLE:clerk] [drop|@action of=order when=order.status:new by=role:clerk] [new|order.status =enum] ones"
    assert "set dropped = true" in built(ORDER + by, "order > customer")[0]
    state = ORDER.replace("[due|", "[dropped|order. bool], [due|") + "[drop|@action of=order when=order.status:new] [new|order.status =enum] ones"
    assert "set dropped = true" in built(state, "order > customer")[0]


@pytest.mark.parametrize("said", ["forbid", "cannot", "reject updates", "refuse", "blorbable", "kik", "bingo", "possible"])
def test_what_only_carries_a_rule_or_is_no_verb_is_no_step(said: str) -> None:
    said_of = ORDER + f"[{said}|@action of=order when=order.status:new] while [new|order.status =enum]"
    lines, left = built(said_of, "order > customer")
    assert left == [said]
    assert not any(line.startswith("action") or line.endswith("boolean default false") for line in lines)


def test_a_misspelt_step_is_called_as_it_is_meant() -> None:
    lines, _ = built(ORDER.replace(", [cancelled|order.status =enum]", "") + "can be [cancled|@action of=order]", "order > customer")
    assert "action cancel {" in lines and "set cancelled = true" in lines


def test_a_bound_whose_number_is_missing_is_left_over() -> None:
    lines, left = built(ORDER + "[at most|@at-most of=order per=customer] some", "order > customer")
    assert left == ["at most"] and not any(line.startswith("at most") for line in lines)


def test_one_row_for_each_is_unique_together_and_said_once() -> None:
    lines, left = built(ROOM + "[Once|@at-most of=booking per=booking.guest per=room] per room and guest", "booking > room", "unique booking room guest")
    assert [line for line in lines if line.startswith(("unique", "at most"))] == ["unique (room, guest)"]
    assert left == []


def test_every_kind_of_cue_has_its_lines() -> None:
    assert set(_WRITERS) | {"route", "retry", "timeout", "mail-report", *sites.KINDS, *file_rules.KINDS} == set(CUES)


def test_fields_computed_from_computed_ones_are_unfolded() -> None:
    lines, left = built(
        "[jobs|job] with [hours|job. dec], [rate|job. money], [labour|job. money], [parts|job. money], [bill|job. money]. "
        "[times|@times set=job.labour from=job.hours from=job.rate] and [plus|@added set=job.bill from=job.labour from=job.parts]"
    )
    assert "bill: money = hours * rate + parts" in lines
    assert left == []


def test_what_cannot_hold_is_left_over_and_the_rest_is_built() -> None:
    lines, left = built(
        ROOM + "[never twice|@overlap of=room], [at most|@at-most of=booking per=room n=#3] [3|#]", "booking > room"
    )
    assert left == ["never twice"]
    assert "at most 3 per room" in lines


def test_an_owner_of_rows_is_no_reference_where_rows_are_kept_apart() -> None:
    lines, left = built("[firms|firm] ([name|firm.]) with [deals|deal] ([title|deal.]), [strictly apart|@tenants of=firm]", "deal > firm")
    assert "tenants firm" in lines
    assert not any(line.startswith("firm: ->") for line in lines)
    assert left == []


def test_drafts_need_somebody_who_writes() -> None:
    lines, left = built("[posts|post] ([title|post.]) are [published|@publish of=post by=role:editor] by [editors|ROLE:editor]")
    assert "write role editor" in lines
    assert "publish" in lines
    assert left == []


@pytest.mark.parametrize(
    ("said", "name"),
    [("cancelled", "cancel"), ("returning", "return"), ("closed", "close"), ("shipped", "ship"), ("marked as paid", "mark_as_paid"), ("lent", "lend"), ("applied", "apply"), ("bring", "bring"), ("used", "use"), ("approves", "approve"), ("outlives", "outlive"), ("refuses", "refuse"), ("strucked", "strike"), ("undone", "undo"), ("", "")],
)  # fmt: skip
def test_actions_are_named_by_their_verb(said: str, name: str) -> None:
    assert base_form(said) == name


@pytest.mark.parametrize(
    ("said", "then"),
    [("close", "closed"), ("ship", "shipped"), ("approves", "approved"), ("apply", "applied"), ("hide", "hidden"), ("check in", "checked_in"), ("hands it back", "handed_back"), ("open", "opened"), ("pay", "paid"), ("set", "set"), ("cancellation", ""), ("approval", ""), ("mark as done", ""), ("appeal", "appealed"), ("strike", "struck"), ("wears", "worn"), ("fly", "flown"), ("swear", "sworn"), ("catch", "caught"), ("tears off", "torn_off"), ("undo", "undone"), ("outlives", "outlived"), ("uphold", "upheld"), ("bin", "binned"), ("unban", "unbanned"), ("forbid", "forbidden"), ("", "")],
)  # fmt: skip
def test_what_a_row_is_after_a_step(said: str, then: str) -> None:
    assert participle(said) == then


def test_periods_in_everyday_words() -> None:
    assert [period_of(w) for w in ("per month", "weekly", "every night", "Fridays", "12 d", "now and then")] == [
        "month", "week", "day", "friday", "day", "",
    ]  # fmt: skip
