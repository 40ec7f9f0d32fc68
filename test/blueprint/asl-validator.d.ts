/** The package has types for its errors, none for what it exports. */
declare module "asl-validator" {
  const validate: (definition: object) => { readonly isValid: boolean; readonly errors: readonly object[] };
  export = validate;
}
