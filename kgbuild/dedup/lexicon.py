"""Words that decide whether two tails may be one. English, like the relation packs shipped."""

from __future__ import annotations

# Dropped before tails are compared: they change how a tail is said, not what it says.
FILLERS = frozenset(
    "a an the to some any very really so quite too his her hers its their theirs my your our own "
    "be is are was were been being become becomes becoming feel feels feeling".split()
)
# "gets wet" says "wet", but "get a dog" and "be a dog" differ: get is a filler only when no
# such word follows.
LIGHT = frozenset("get gets getting".split())
DETERMINERS = frozenset(
    "a an the some any his her its their my your our this that these those".split()
)

NUMBERS = frozenset(
    "zero one two three four five six seven eight nine ten eleven twelve twenty thirty forty fifty "
    "hundred thousand million dozen first second third fourth fifth last once twice half double "
    "single both".split()
)
NEGATIONS = frozenset(
    "not no never none nothing nobody nowhere neither nor cannot without unable lack lacks "
    "hardly less fewer avoid avoids avoiding stop stops stopping refuse refuses fail fails "
    "prevent prevents".split()
)
# Two tails must have the same of these, in number and kind.
DIRECTIONS = frozenset(
    "for with against from off on down away before after about under over between "
    "through toward during until".split()
)
SAME_DIRECTIONS = {"into": "in", "onto": "on", "towards": "toward"}
# These may come or go ("clean up the house") but not be exchanged ("go up", "go in").
LOOSE_DIRECTIONS = frozenset("up out back in at of by".split())

_EXCLUSIVE = """
happy sad angry afraid proud ashamed bored excited calm nervous jealous grateful guilty
happy unhappy
good bad
better worse
best worst
hot cold warm cool
wet dry
big small
big little
big tiny
large small
large little
large tiny
huge small
huge tiny
long short
tall short
high low
fast slow
quick slow
old new
old young
rich poor
strong weak
heavy light
hard soft
hard easy
difficult easy
clean dirty
full empty
full hungry
open close
early late
earlier later
more less
many few
right wrong
right left
true false
safe dangerous
healthy sick
healthy ill
alive dead
awake asleep
loud quiet
public private
inside outside
indoors outdoors
above below
near far
top bottom
front back
north south east west
day night
morning afternoon evening night
today tomorrow yesterday
monday tuesday wednesday thursday friday saturday sunday
january february march april may june july august september october november december
spring summer autumn winter
spring summer fall winter
breakfast lunch dinner brunch
red blue green yellow black white orange purple pink brown grey
red blue green yellow black white orange purple pink brown gray
mother father sister brother aunt uncle son daughter grandmother grandfather
mom dad
wife husband
boy girl
man woman
men women
king queen
parent child
teacher student
doctor nurse patient
boss employee
friend enemy
dog cat horse bird fish
knife fork spoon
second minute hour day week month year
seconds minutes hours days weeks months years
buy sell rent borrow lend steal return
bought sold
send receive
give take receive
borrow lend
win lose play
winner loser
pass fail
find lose
find look
find search
gain lose
hire fire quit
hired fired
accept reject
accept refuse
start stop
start finish
start end
begin end
begin finish
enter leave
enter exit
arrive leave
come go leave stay
push pull
rise fall
raise lower
increase decrease
increase reduce
increase lower
grow shrink
love hate
like dislike
like hate
remember forget
ask answer
read write
teach learn
wash dry
save spend
earn spend
build destroy break
break fix
break repair
lock unlock
tie untie
pack unpack
wake sleep
sit stand lie
laugh cry
live die
help hurt harm
agree disagree
agree argue
eat make
eat cook
eat buy
buy make
buy cook
drink make pour
throw catch
hide show
hide find
lead follow
attack defend
walk run drive swim fly
before after
up down
in out
on off
with without
for against
"""

# The first word of a line stands for the others, which an encoder sees as merely related
# (angry, mad: 0.72). Only words that a reader would call the same tail.
_SYNONYMS = """
happy glad joyful cheerful
sad unhappy
angry mad
afraid scared frightened fearful
nervous anxious
tired exhausted weary
surprised astonished
smart intelligent clever
ill sick
grateful thankful
lonely lonesome
embarrassed ashamed
sorry apologetic
content contented
big large
small little
quick fast
careful cautious
rich wealthy
brave courageous
kind kindhearted
diligent hardworking industrious
child kid
mother mom mum
father dad
gift present
store shop
film movie
car automobile
bicycle bike
phone telephone
sofa couch
rubbish trash garbage
buy purchase
begin start
finish complete
fix repair
shut close
assist help
speak talk
"""


def _representatives() -> dict[str, str]:
    lines = [line.split() for line in _SYNONYMS.strip().split("\n")]
    return {word: first for first, *others in lines for word in others}


SYNONYMS = _representatives()


def _classes() -> dict[str, frozenset[int]]:
    members: dict[str, set[int]] = {}
    for number, line in enumerate(_EXCLUSIVE.split("\n")):
        for word in line.split():
            members.setdefault(SYNONYMS.get(word, word), set()).add(number)
    return {word: frozenset(numbers) for word, numbers in members.items()}


EXCLUSIVE = _classes()
"""The classes a word belongs to; two words of one class never stand for each other."""
