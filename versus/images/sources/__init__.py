"""Where the images come from; every source copies them as <class>/* or {train,validation,test}/<class>/*."""
