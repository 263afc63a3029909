# SPDX-License-Identifier: Apache-2.0
touch file
mkdir dir
