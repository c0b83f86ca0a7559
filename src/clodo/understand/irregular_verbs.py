"""Irregular verbs of English: the verb, its past and its participle, a line each."""

from __future__ import annotations

_FORMS = """\
arise arose arisen
awake awoke awoken
bear bore borne
beat beat beaten
become became become
begin began begun
bend bent bent
bet bet bet
bid bid bid
bind bound bound
bite bit bitten
bleed bled bled
blow blew blown
break broke broken
breed bred bred
bring brought brought
build built built
burst burst burst
buy bought bought
cast cast cast
catch caught caught
choose chose chosen
cling clung clung
come came come
cost cost cost
creep crept crept
cut cut cut
deal dealt dealt
dig dug dug
do did done
draw drew drawn
drink drank drunk
drive drove driven
eat ate eaten
fall fell fallen
feed fed fed
feel felt felt
fight fought fought
find found found
flee fled fled
fling flung flung
fly flew flown
forbid forbade forbidden
forget forgot forgotten
forgive forgave forgiven
forsake forsook forsaken
freeze froze frozen
get got got
give gave given
go went gone
grind ground ground
grow grew grown
hang hung hung
have had had
hear heard heard
hide hid hidden
hit hit hit
hold held held
hurt hurt hurt
keep kept kept
kneel knelt knelt
know knew known
lay laid laid
lead led led
leave left left
lend lent lent
let let let
light lit lit
lose lost lost
make made made
mean meant meant
meet met met
mow mowed mown
pay paid paid
put put put
quit quit quit
read read read
rid rid rid
ride rode ridden
ring rang rung
rise rose risen
run ran run
say said said
see saw seen
seek sought sought
sell sold sold
send sent sent
set set set
sew sewed sewn
shake shook shaken
shed shed shed
shine shone shone
shoot shot shot
show showed shown
shrink shrank shrunk
shut shut shut
sing sang sung
sink sank sunk
sit sat sat
slay slew slain
sleep slept slept
slide slid slid
sling slung slung
slit slit slit
sow sowed sown
speak spoke spoken
speed sped sped
spend spent spent
spin spun spun
spit spat spat
split split split
spread spread spread
spring sprang sprung
stand stood stood
steal stole stolen
stick stuck stuck
sting stung stung
stink stank stunk
stride strode stridden
strike struck struck
string strung strung
strive strove striven
swear swore sworn
sweep swept swept
swell swelled swollen
swim swam swum
swing swung swung
take took taken
teach taught taught
tear tore torn
tell told told
think thought thought
throw threw thrown
thrust thrust thrust
wake woke woken
wear wore worn
weave wove woven
weep wept wept
win won won
wind wound wound
withdraw withdrew withdrawn
withhold withheld withheld
withstand withstood withstood
wring wrung wrung
write wrote written
"""

#: Verbs with something in front, which leaves their forms as they are.
_FRONTED = """\
un bind do draw freeze hide set stick string wind
re bid bind build buy cast cut do draw freeze grow hang let light make pay read run sell send set sew shoot sit spin string take teach tell think throw wind write
over cast come do draw drive eat feed hang hear pay ride run see sell set shoot sleep spend take throw write
under bid cut feed go lay pay sell spend take write
out bid do draw drive fight grow let put run sell shine spend
off set
up hold sell set
pre pay sell set shrink
mis hear lay lead read spend take
fore cast go see tell
broad cast
proof read
sub let
back slide
"""

_ROWS = [line.split() for line in _FORMS.splitlines()]
_BY_VERB = {base: forms for base, *forms in _ROWS}
_ROWS += [[front + form for form in (verb, *_BY_VERB[verb])] for front, *verbs in map(str.split, _FRONTED.splitlines()) for verb in verbs]
#: What is done to a thing, by the verb.
PARTICIPLES = {base: participle for base, _, participle in _ROWS} | {
    # What dictionaries of American English do not list.
    "fulfil": "fulfilled", "enrol": "enrolled", "honour": "honoured", "waitlist": "waitlisted", "triage": "triaged", "greenlight": "greenlit",
}  # fmt: skip
#: The verb of a past form or a participle.
BASES = {form: base for base, *forms in _ROWS for form in forms if form == base or form not in PARTICIPLES} | {
    "proven": "prove", "fulfilled": "fulfil", "greenlit": "greenlight",
}  # fmt: skip
#: What stands in front of verbs.
FRONTS = (
    "counter", "trans", "inter", "super", "micro", "under", "cross", "over", "down", "fore", "auto", "back",
    "out", "off", "pre", "mis", "dis", "sub", "geo", "bar", "air", "un", "up", "re", "de",
)  # fmt: skip
