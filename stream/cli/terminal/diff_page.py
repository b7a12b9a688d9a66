def diff_page(document):
    return ""
