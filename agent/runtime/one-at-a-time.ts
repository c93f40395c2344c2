/**
 * Work that several may ask for at the same time, and that runs once at a time. Whoever asks while it
 * runs shares one more run with the others: it begins after they asked, so it sees what they did.
 */
export class OneAtATime<Answer> {
  readonly #work: () => Promise<Answer>;
  #running: Promise<Answer> | undefined;
  #next: Promise<Answer> | undefined;

  constructor(work: () => Promise<Answer>) {
    this.#work = work;
  }

  /** Whoever asks now is the first who waits for another one to end. */
  get nextWaits(): boolean {
    return this.#running !== undefined && this.#next === undefined;
  }

  run(): Promise<Answer> {
    if (this.#running === undefined) {
      const running = this.#work().finally(() => {
        this.#running = undefined;
      });
      this.#running = running;
      return running;
    }
    const again = (): Promise<Answer> => {
      this.#next = undefined;
      return this.run();
    };
    this.#next ??= this.#running.then(again, again);
    return this.#next;
  }
}
