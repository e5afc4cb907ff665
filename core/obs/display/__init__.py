"""Pictures of images and catalogs: for files, notebooks, web pages and SAOImage DS9."""
