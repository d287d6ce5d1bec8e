{{/* Name of the application in labels. */}}
{{- define "headwater-app.name" -}}
{{- default .Release.Name .Values.nameOverride | trunc 52 | trimSuffix "-" -}}
{{- end }}

{{/* Name of the resources. 52 characters leave room for what a StatefulSet appends to its pods and their labels. */}}
{{- define "headwater-app.fullname" -}}
{{- default (include "headwater-app.name" .) .Values.fullnameOverride | trunc 52 | trimSuffix "-" -}}
{{- end }}

{{/* Labels that never change: selectors are immutable. */}}
{{- define "headwater-app.selectorLabels" -}}
app.kubernetes.io/name: {{ include "headwater-app.name" . | quote }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end }}

{{- define "headwater-app.labels" -}}
{{ include "headwater-app.selectorLabels" . }}
{{- with .Values.image.tag }}
app.kubernetes.io/version: {{ . | trunc 63 | trimAll "-_." | quote }}
{{- end }}
app.kubernetes.io/managed-by: {{ .Release.Service | quote }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | quote }}
{{- end }}

{{- define "headwater-app.image" -}}
{{- $repository := required "image.repository is required: the image of your application" .Values.image.repository -}}
{{- if .Values.image.digest -}}
{{ $repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ $repository }}:{{ required "image.tag (or image.digest) is required: which version of your application to run" .Values.image.tag }}
{{- end -}}
{{- end }}

{{- define "headwater-app.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{ default (include "headwater-app.fullname" .) .Values.serviceAccount.name }}
{{- else -}}
{{ default "default" .Values.serviceAccount.name }}
{{- end -}}
{{- end }}
