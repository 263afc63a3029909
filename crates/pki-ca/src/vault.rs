// SPDX-License-Identifier: Apache-2.0
//! Backend `vault`.

pub mod config;
