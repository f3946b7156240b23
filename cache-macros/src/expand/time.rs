//! Times as constant expressions.

use std::time::Duration;

use proc_macro2::{Literal, TokenStream};
use quote::quote;

/// `Duration::from_secs(1800)`, in the largest unit that is exact.
pub(crate) fn duration_tokens(duration: Duration, ms: &TokenStream) -> TokenStream {
    if duration.subsec_nanos() == 0 {
        let seconds = Literal::u64_unsuffixed(duration.as_secs());
        return quote!(#ms::Duration::from_secs(#seconds));
    }
    let millis = Literal::u64_unsuffixed(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX));
    quote!(#ms::Duration::from_millis(#millis))
}
