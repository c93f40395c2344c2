/**
 * The flag of keywords that only load balancing gives an effect. While it says `later`, `holdfast check`
 * says of them that they have none yet; `{}` makes them words like the others.
 */
export const BALANCING: { readonly later?: true } = { later: true };
