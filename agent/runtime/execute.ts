/** What to do for each kind of effect. A kind without its entry does not compile. */
export type Handlers<Subject, Effect extends { readonly kind: string }> = {
  readonly [Kind in Effect["kind"]]: (
    subject: Subject,
    effect: Extract<Effect, { readonly kind: Kind }>,
  ) => void;
};

/** Runs the effects of one transition, in the machine's order. */
export function execute<Subject, Effect extends { readonly kind: string }>(
  handlers: Handlers<Subject, Effect>,
  subject: Subject,
  effects: readonly Effect[],
): void {
  for (const effect of effects) {
    const run = handlers[effect.kind as Effect["kind"]] as (on: Subject, effect: Effect) => void;
    run(subject, effect);
  }
}
