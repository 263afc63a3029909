echo x > tree
