// SPDX-License-Identifier: Apache-2.0
//! Whether and where a file can be written.

use crate::{Result, Target};

/// Checks that the file can be written where the user wants it, without writing.
pub fn check_destination(target: &Target) -> Result<()> {
    let _ = target;
    Ok(())
}
