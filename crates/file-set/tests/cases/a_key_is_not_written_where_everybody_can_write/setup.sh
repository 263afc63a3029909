# SPDX-License-Identifier: Apache-2.0
mkdir open
chmod 0777 open
