//! The one list of cases.

/// Makes a `#[test]` of every case of the contract, on the store that `$make` gives.
///
/// `$make` names an `async fn() -> (G, Arc<dyn Store>)` of the module in which the macro is called: a new, empty store
/// for each call, and a guard that is kept until the case is over.
#[macro_export]
macro_rules! contract_suite {
    ($make:ident) => {
        $crate::contract_tests! { $make
            companies: [
                an_added_company_is_found_with_version_1,
                companies_added_at_once_get_ids_of_their_own,
            ]
        }
    };
}

/// Writes the tests of [`contract_suite`]: a module for each noun, a test for each case.
#[doc(hidden)]
#[macro_export]
macro_rules! contract_tests {
    ($make:ident $($noun:ident: [$($case:ident,)*])*) => {
        $(
            mod $noun {
                $(
                    #[test]
                    fn $case() {
                        $crate::contract::run(super::$make, $crate::contract::$noun::$case);
                    }
                )*
            }
        )*
    };
}
