/** A value that only its parser makes: structurally a `Base`, nominally a `Name`. */
export type Brand<Base, Name extends string> = Base & { readonly __brand: Name };
