type Primitive = string | number | boolean | null;

/** What is left of a type after a journey through JSON: no brands, and no `undefined` members. */
export type Json<T> = T extends string & { readonly __brand: unknown }
  ? string
  : T extends number & { readonly __unit: unknown }
    ? number
    : T extends Primitive
      ? T
      : T extends readonly (infer Element)[]
        ? readonly Json<Element>[]
        : T extends object
          ? Flat<
              {
                readonly [Key in keyof T as undefined extends T[Key] ? never : Key]: Json<T[Key]>;
              } & {
                readonly [Key in keyof T as undefined extends T[Key] ? Key : never]?: Json<
                  Exclude<T[Key], undefined>
                >;
              }
            >
          : T;

type Flat<T> = { readonly [Key in keyof T]: T[Key] };

/** `true` when each of the two fits the other. */
export type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false;
