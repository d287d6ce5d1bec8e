//! The input's records.

use serde::{Deserialize, Serialize};

/// One movement on one account, as `transfers` carries it under the account's name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transfer {
    /// Its number, from 0, over all accounts.
    pub id: u64,
    /// The account: its branch, a dash, its number.
    pub account: String,
    /// What it adds; negative takes away.
    pub amount: i64,
    /// When it happened, in milliseconds since 1970: also the record's timestamp.
    pub at: i64,
}

impl Transfer {
    /// The branch that keeps the account: what comes before the dash, or the whole name if there is none.
    pub fn branch(&self) -> &str {
        self.account.split_once('-').map_or(&self.account, |(branch, _)| branch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_branch_is_the_beginning_of_the_account() {
        let check = |account: &str, branch: &str| {
            assert_eq!(Transfer { id: 0, account: account.into(), amount: 1, at: 0 }.branch(), branch);
        };
        check("07-000123", "07");
        check("cash", "cash");
    }
}
