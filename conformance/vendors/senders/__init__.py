"""Those who send dose reports to DIR Link, over real associations: a modality, an RDIM and a PACS, right and wrong ones."""
