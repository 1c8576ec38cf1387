//! What all lists of the API share.

use crm_domain::paging::PageRequest;

use crate::problem::Failure;

/// Rows of a page when nothing is said.
const USUAL: u32 = 50;
/// The most rows of a page.
const MOST: u32 = 200;

/// The page that `limit` and `after` ask for.
pub(super) fn page(limit: Option<u32>, after: Option<&str>) -> Result<PageRequest, Failure> {
    let limit = limit.unwrap_or(USUAL);
    if limit == 0 || limit > MOST {
        return Err(Failure::Parameter("limit"));
    }
    let after = after
        .filter(|after| !after.is_empty())
        .map(str::parse)
        .transpose()?;
    Ok(PageRequest::after(
        after,
        usize::try_from(limit).unwrap_or_default(),
    ))
}

#[cfg(test)]
mod tests {
    use super::page;
    use crate::problem::Failure;

    #[test]
    fn limits_and_cursors_are_checked() {
        assert_eq!(page(None, None).unwrap().limit, 50);
        assert_eq!(page(Some(1), Some("")).unwrap().limit, 1);
        assert_eq!(page(Some(3), Some("7.61")).unwrap().after.unwrap().key, "a");
        for limit in [0, 201] {
            assert!(matches!(
                page(Some(limit), None),
                Err(Failure::Parameter("limit"))
            ));
        }
        assert!(matches!(page(None, Some("x")), Err(Failure::Parameter("after"))));
    }
}
