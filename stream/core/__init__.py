"""What happens to a customer: pure. No clock, no I/O, no JSON, no randomness; each input brings its time.

The rules, by the numbers that code and tests cite. A *subject* is whoever an interaction is about; its *customer* is
the record kept of it; a customer has one *life* in each lifecycle. All times are integers, epoch milliseconds, UTC.

 1  Times. A time without a zone is UTC; finer fractions of a second are cut off.
 2  Subject. The customer id, else the anonymous id; the two are different name spaces. A customer is `identified` from
    its first interaction with a customer id on.
 3  Words. An event name stands for at most one word of `interactions`; a word also stands for itself; a name that no
    word covers is its own word. Where a word may stand after `each`, `count`, `minus`, `first` or `last`, a list of
    words may stand, too. A Segment track call has the event's name, other calls have the call's; the traits of an
    identify call are its properties.
 4  Clock. The clock of a life is the largest time applied to it, of an interaction or a deadline. (A partition's clock
    is another: it decides only when deadlines are fired.) An interaction with an earlier time is *late*: it counts,
    its points decayed from its own time, but what it causes happens at the clock.
 5  Scores. A decaying score is the sum of points * 2^-((clock - time) / half_life), whatever the order of arrival,
    kept per signal as the sum at the latest time and that time, in IEEE doubles; signals are added in the order of the
    file. Below 2^-30 in magnitude it is 0; then `min` and `max` clamp what is read. A permanent score, and a `sum`, is
    kept in whole millionths, rounded half to even. Points from a property that is absent, not a number, or not below
    1e15 in magnitude add nothing and are counted; a boolean is not a number.
 6  Signals and facts. `where` sees the interaction, and what rule 22 says. `once`: the signal counts once for ever.
    `at_most`: windows lie on the grid floor(time / per), the first `times` to arrive in a window count, and the two
    latest windows in which something counted are kept: what is older does not count. A matching interaction uses up
    `once` and its turn of `at_most` even where its points add nothing. Facts are never capped. `count` and `sum` begin
    at 0, `minus` subtracts; `first` and `last` are the smallest and largest time; `latest` is the text, number or
    boolean with the largest time, the later arrival among equals, null ignored; these three do not exist until seen. A
    property of a type that a fact cannot use is counted, and so is a list in the way of its path, which leads to
    nothing. A `count` with `within: W` is the number of kept times less than W ago; the largest `keep` (20) are kept.
 7  Signs of life. Every interaction moves the clock; all but the words of `passive` also move `idle`.
 8  Duplicates. An id is remembered until the customer's largest interaction time is more than 24 h past what it was
    when the id came, among the 128 latest ids. An interaction whose id is remembered, or whose row of an import is
    known (the line of a file, by the import's name and its number, remembered beyond the 24 h), has no effect but a
    count.
 9  Order. An interaction at time t: the duplicate check; every deadline at or before t, in order; for a new customer
    the birth, a change from nothing to the first stage with sequence 1; then identification, signals in the order of
    the file, facts, transitions.
10  Transitions. The first in the order of the file that leaves the current stage, whose condition holds at the clock
    and that was not yet taken in this step, is taken; then again from there, until none is. After a transition that
    needed the interaction, the remaining conditions of the step are tested without it: one order moves one order's
    step. Each is a change with the next sequence and the same time; the last of a step is `final`.
11  The unknown. A comparison with a value that does not exist, or of different types, is false, also `!=`; `not` of it
    is true. Without an interaction, whatever names it is unknown: `not` keeps it unknown, `and` and `or` follow
    Kleene, and an unknown condition does not hold.
12  Deadlines. A deadline is the first millisecond after the clock at which time alone makes the condition of a
    transition out of the current stage true: true there, false one millisecond before. It is computed by a formula,
    then moved by milliseconds until the condition itself is false before it and true at it. At the deadline the clock
    becomes its time, and rule 10 applies to all transitions. After 64 deadlines of a life without an interaction it
    waits for the next one.
13  Deadline time. The changes of a deadline carry its own time, whenever it was fired.
14  Forgetting. A subject that was never identified is forgotten `forget_after` past its latest sign of life, after the
    deadlines of that millisecond: each lifecycle emits a change to nothing, the record goes, and what is later begins
    a new life. For identified ones a setting of its own says so; it is off by default.
15  Side by side. Several lifecycles run on the same interactions, each as if alone; deadlines of one millisecond in
    the order of the lifecycles' ids. Remembered ids, identification and forgetting are the customer's.

16  Numbers. Where a number is meant (`add`, `sum`, `amount`) a product of paths and literals may stand, from left to
    right in IEEE doubles; it is absent where a factor is absent or no number, or the result not below 1e15. A text that
    is exactly a JSON number, finite as a double ("19.90"; not " 19.90", "+3", "1e400", "$5"), counts as that number
    where a number is computed, in the points of rule 24, and where it is compared, by `in` element by element, with
    what is known at load to be a number: a literal, a count, a sum or a score. Between two properties, or a property
    and a `latest` fact, both are taken as they are; a `latest` fact keeps the text.
17  Lists. `over` applies a signal or fact once for each of the first 1,000 elements of a list, in order; `item` is the
    element, of any type. Elements do not see each other; `at_most` and `once` count them. No list: it does not apply.
18  Ledgers. One entry for each value of `by` (a text, a number or a boolean; a number is its decimal text). The first
    word of `each` makes it, whatever came for it before; its time is the smallest of these words, its amount the one
    with the smallest time, unless a word of `update` with the largest time has another. A word of `minus` adds the
    magnitude of `returned`, and returns everything where that is absent or null; one whose `by` and `return` are known
    (the latest 64) is the same again. Left is max(0, amount - returned); an entry counts while something is left, one
    without amount or of 0 until everything was returned. Without `by` a word of `each` is an entry that nothing finds,
    a word of `minus` lowers the sum. Kept are the latest `keep` to arrive that were made, and 8 that wait; of a made
    one that goes, count and sum stay. A signal with `ledger` counts only what makes an entry.
19  Calendar. `per: day`, `week` (from Monday) and `month` are windows of `time_zone`, else as in rule 6.
20  Cool-down. `at_most` with `within: W`: it counts where fewer than `times` of the 20 largest counted times are less
    than W away, before or after; where there are 20, not before them all.
21  Once for each value. `once` with a path counts once for each value, as in rule 18, of the 64 whose first arrival was
    latest; absent does not count.
22  State in `where`. The `where` of a signal or a fact may also name facts, scores, bands, `identified`, `stage`,
    `since`, `until`, `idle` and `in_stage`, as they are after this interaction's due deadlines, birth and
    identification, and before it moves `idle` and is applied. The last four are measured at its own time, all else at
    the clock. That of a ledger sees the interaction alone.
23  Expiring points. With `expires: D` points of an interaction at t are in the score while clock - t < D; of the `keep`
    largest times, the later arrival among equals, the elements of a list being one entry. A `sum` with `within`
    likewise, `minus` negative at its own time. Both change with time alone, in steps.
24  Latest value. Of `latest` the points of the value with the largest time are in the score, the later arrival among
    equals; other values and null have 0; absent, a list or an object is no value.
25  Reset and floor. `reset` takes all points of a score away at its arrival; what has a time at or before the largest
    of its resets adds nothing. A `floor` lifts the score once an interaction's points were added; what was lifted is
    taken from the negative contributions, in the order of their signals' names.
26  Times that facts tell. `latest_time` is the property with the largest time, read as an interaction's time is, in
    `time_zone` where it names none; null removes it. `until(fact)` is the fact less the clock, `since(fact)` the clock
    less the fact, of any fact that is a time; either may be below 0, and both have deadlines.
27  Texts. `contains`, `starts` and `ends` ask for a part of a text by code points; of a list, `contains` asks for an
    element that equals it; nothing else has parts. `lower(…)` is the text in small letters as Python has them, of a
    list the list with its texts in small letters, of all else nothing.
28  Bands. The names of the ranges in which its scores are, put together in the order of the file; none where a score is
    below all of its ranges. A comparison of a band is one of its scores.
29  At most every D. The transition is not taken while the clock is less than D past the last time that the life took
    it; that time + D is a deadline. It is found in an edited file by its stages.
30  Hold for D. The condition, which names no interaction, must have held at the clock for D without a break since the
    life is in the stage; the millisecond in which it began + D is a deadline. Beside rule 29 both must be fulfilled.

Beside the rules: an edit of a lifecycle is an input, too (`stream.core.editing`). A customer is `quarantined` once a
deadline of theirs made our code fail: their deadlines are not fired again, their interactions count on.
"""
