//! Who asks, and whether the request was made on a page of ours.
//!
//! [`Signed`] is who is signed in; [`Protected`] is the only way to the data of a form or a JSON body, and it has checked
//! origin and token. A request with `Authorization` ignores cookies: a bad token is 401, never a fall-back.

mod allowance;
mod browser;
mod cookies;
mod csrf;
#[cfg(any(test, feature = "fuzzing"))]
#[doc(hidden)]
pub mod fuzzing;
mod identity;
mod keys;
mod next;
mod origin;
mod pages;
mod protected;
mod proven;
mod second_factor;
mod setup;
mod visitor;

pub use allowance::Allowance;
pub use cookies::{cookie, expired_cookie, in_session, set_cookie};
pub use identity::{Identity, Signed};
pub use keys::Keys;
pub use next::{referring_page, safe_next};
pub use origin::{NotAnOrigin, Origins};
pub use pages::mount;
pub(crate) use protected::{FORM, read_form};
pub use protected::{Nothing, Open, Protected, Writer};
pub use proven::Proven;
pub use visitor::Visitor;

pub(crate) use identity::Known;
