// Which changes of a partition were seen: what comes again is skipped, and what never came is noticed.

const REMEMBERED = 100_000; // lives, those that changed last

export class SeenChanges {
  #lives = new Map();

  // Returns undefined for a change that was seen; else how many changes of its life before it were never seen.
  missingBefore(change) {
    const subject = `${change.lifecycle}:${change.customer_id ?? ''}:${change.anonymous_id ?? ''}`;
    const life = lifeOf(change.born);
    const known = this.#lives.get(subject);
    const order = known === undefined ? 1 : compare(life, known.life);
    if (order < 0 || (order === 0 && change.sequence <= known.sequence)) {
      return undefined;
    }
    this.#lives.delete(subject); // so that it is the latest
    this.#lives.set(subject, { life, sequence: change.sequence });
    if (this.#lives.size > REMEMBERED) {
      this.#lives.delete(this.#lives.keys().next().value);
    }
    return known !== undefined && order === 0 ? change.sequence - known.sequence - 1 : 0;
  }
}

// `0-39` is generation 1 and offset 39, `2.0-39` generation 2.
function lifeOf(born) {
  const [place, generation = '1'] = born.split('.').reverse();
  return [BigInt(generation), BigInt(place.split('-')[1])];
}

function compare([generation, offset], [otherGeneration, otherOffset]) {
  const [left, right] = generation === otherGeneration ? [offset, otherOffset] : [generation, otherGeneration];
  return left < right ? -1 : left > right ? 1 : 0;
}
