/** The language server: a place for code to come. */
export {};
