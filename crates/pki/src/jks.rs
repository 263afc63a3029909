// SPDX-License-Identifier: Apache-2.0
//! Java key stores.
